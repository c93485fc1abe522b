import { once } from 'node:events';
import http from 'node:http';
import { SignJWT } from 'jose';

/** An HTTP server on a free port that answers JSON; 503 where there is no answer. */
export async function answering(answer) {
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    const value = await answer(body && JSON.parse(body));
    response.writeHead(value === undefined ? 503 : 200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Its address. */
export const urlOf = (server) => `http://127.0.0.1:${server.address().port}/`;

/** The secret of the tokens below. */
export const secret = 'a secret for the tests, long enough';

/** A token of a user, with when it ends: a time of whole seconds, so the shortest lasts one to two. */
export async function sign(user, seconds = 300) {
  const ends = Math.ceil(Date.now() / 1000) + seconds;
  const token = await new SignJWT({ name: user.toUpperCase(), preferred_username: user })
    .setProtectedHeader({ alg: 'HS256' }).setSubject(user).setExpirationTime(ends).sign(new TextEncoder().encode(secret));
  return { token, expiresAt: new Date(ends * 1000).toISOString() };
}

/** The back end of a host application: gives users their tokens, and can be told what comes next. */
export class Host {
  #server;
  #next = new Map(); // by user: how the next tokens are to be

  static async start() {
    const host = new Host();
    host.#server = await answering(({ handle }) => host.#token(handle));
    host.url = urlOf(host.#server);
    return host;
  }

  /** What the next tokens of a user are like: { seconds, spoiled, before() }; then they are good again. */
  next(user, ...tokens) {
    this.#next.set(user, tokens);
  }

  /** How many of them nobody has fetched. */
  left(user) {
    return this.#next.get(user)?.length ?? 0;
  }

  async #token(user) {
    const { seconds, spoiled, before } = this.#next.get(user)?.shift() ?? {};
    await before?.();
    const good = await sign(user, seconds);
    return spoiled ? { ...good, token: `${good.token}x` } : good;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
