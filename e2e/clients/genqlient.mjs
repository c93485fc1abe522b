// The Go program in ../genqlient, driven as a person would.
import path from 'node:path';
import { temporary } from '../lib/paths.mjs';
import { Program, finish } from '../lib/program.mjs';

const binary = path.join(temporary, 'genqlient');

/** Builds it. */
export async function prepare() {
  const cwd = path.resolve(import.meta.dirname, '../genqlient');
  const { code, err } = await finish('go', ['build', '-o', binary, '.'], { cwd, seconds: 120 });
  if (code !== 0) throw new Error(`go build failed:\n${err}`);
}

export async function open({ url, tokenURL, user }) {
  const env = { ACQUAINT_URL: url, TOKEN_URL: tokenURL, ACQUAINT_AS: user };
  const watching = [];
  const closes = [];
  const once = async (...args) => {
    const { code, out, err } = await finish(binary, args, { env });
    if (code !== 0) throw new Error(err);
    return JSON.parse(out);
  };
  return {
    closes,
    viewer: () => once('viewer'),
    invite: (...args) => once('invite', ...args),
    watch(after, next, ended) {
      const program = new Program(binary, ['watch', after], { env });
      watching.push(program);
      let stopping = false;
      program.onLine('out', (line) => next(JSON.parse(line)));
      program.onLine('err', (line) => closes.push(Number(line.match(/websocket: close (\d+)/)?.[1] ?? 0)));
      program.ended.then((how) => stopping || ended(`it ended (${how}): ${program.err}`));
      return () => {
        stopping = true;
        return program.stop();
      };
    },
    close: () => Promise.all(watching.map((program) => program.stop())),
  };
}
