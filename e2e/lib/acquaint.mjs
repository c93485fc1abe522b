import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { binary, temporary } from './paths.mjs';
import { Program } from './program.mjs';

if (!binary || !temporary) throw new Error('start the tests with npm test');

/** A new, empty folder. */
export const newFolder = (name) => mkdtemp(path.join(temporary, `${name}-`));

/** A server: acquaint dev or acquaint serve, in a folder. */
export class Server {
  /**
   * Starts one, on any free port unless told which. A token of a demo member is that of acquaint dev, unless sign gives
   * another.
   */
  static async start({ folder, command = 'dev', port = 0, flags = [], env = {}, sign } = {}) {
    const server = new Server();
    server.options = { command, flags, env, sign };
    server.folder = folder ?? (await newFolder(command));
    server.program = new Program(binary, [command, '--listen', `127.0.0.1:${port}`, '--log-format', 'json', ...flags], {
      cwd: server.folder, env,
    });
    // dev says where it is on stdout, serve in its log.
    const found = command === 'dev' ? server.program.output(/Open\s+(http:\S+)/) : server.program.logged(/"url":"(http:[^"]+)"/);
    [, server.url] = await found;
    server.port = Number(new URL(server.url).port);
    return server;
  }

  /** Stops it as an operator would, which must go well. */
  async stop() {
    assert.equal(await this.program.stop('SIGTERM'), 0, `the server ended badly:\n${this.program.err}`);
    const faults = this.program.err.split('\n').filter((line) => /"level":"(ERROR|WARN)"/.test(line));
    assert.deepEqual(faults, [], 'the server logged faults');
  }

  /** Another one with the same settings and data, once this one is stopped. */
  again(options) {
    return Server.start({ ...this.options, folder: this.folder, ...options });
  }

  /** A token of a member. */
  async token(handle) {
    if (this.options.sign) return (await this.options.sign(handle)).token;
    const response = await fetch(`${this.url}/dev/sign-in`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ handle }),
    });
    assert.equal(response.status, 200);
    return (await response.json()).token;
  }

  /** Runs an operation as a member and gives the answer's text. */
  async ask(handle, query, variables) {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await this.token(handle)}` },
      body: JSON.stringify({ query, variables }),
    });
    return response.text();
  }

  /** Runs an operation as a member, which must go well, and gives its data. */
  async data(handle, query, variables) {
    const answer = JSON.parse(await this.ask(handle, query, variables));
    assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
    return answer.data;
  }

  /** Invites one member as another, who has called before. */
  async invite(from, to, note) {
    const { member } = await this.data(from, 'query($handle: String!) { member(handle: $handle) { id } }', { handle: to });
    const { inviteMember } = await this.data(
      from,
      'mutation($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } userErrors { code } } }',
      { input: { memberId: member.id, note } },
    );
    assert.deepEqual(inviteMember.userErrors, []);
    return inviteMember.invitation.id;
  }
}
