import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';

const running = new Set();

// Whatever ends this process ends what it started.
process.on('exit', () => {
  for (const program of running) program.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/** Ends every program that is still running. */
export async function stopAll() {
  await Promise.all([...running].map((program) => program.stop('SIGKILL')));
}

/** The environment without the settings of a developer's own server. */
export function cleanEnvironment(extra = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('ACQUAINT_') && !name.startsWith('NODE_'));
  return { ...Object.fromEntries(kept), ...extra };
}

/** A running program whose lines can be waited for. */
export class Program {
  /** What it has written so far. */
  out = '';
  err = '';
  #changed = new EventTarget();
  #child;
  #name;

  constructor(command, args, { cwd, env } = {}) {
    this.#name = [command.split('/').at(-1), ...args].join(' ');
    this.#child = spawn(command, args, { cwd, env: cleanEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this);
    for (const [stream, key] of [[this.#child.stdout, 'out'], [this.#child.stderr, 'err']]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this[key] += text;
        this.#changed.dispatchEvent(new Event('change'));
      });
    }
    /** The exit code, or the signal that ended it. */
    this.ended = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.err += error.message;
        resolve(error.message);
      });
      this.#child.on('close', (code, signal) => resolve(code ?? signal));
    }).then((how) => {
      running.delete(this);
      this.how = how;
      this.#changed.dispatchEvent(new Event('change'));
      return how;
    });
  }

  get lines() {
    return this.out.split('\n').filter((line) => line !== '');
  }

  /** Waits until what it has written to stdout holds a pattern, and gives the match. */
  output(pattern, seconds) {
    return this.#await('out', pattern, seconds);
  }

  /** The same for stderr. */
  logged(pattern, seconds) {
    return this.#await('err', pattern, seconds);
  }

  /** Calls next with every line of stdout ('out') or stderr ('err') as it comes. */
  onLine(key, next) {
    let told = 0;
    const tell = () => {
      for (let end; (end = this[key].indexOf('\n', told)) >= 0; told = end + 1) next(this[key].slice(told, end));
    };
    this.#changed.addEventListener('change', tell);
    tell();
  }

  async #await(key, pattern, seconds = 20) {
    const deadline = AbortSignal.timeout(seconds * 1000);
    for (;;) {
      const match = this[key].match(pattern);
      if (match) return match;
      if (this.how !== undefined) throw new Error(`${this.#name} ended (${this.how}) without ${pattern}:\n${this.out}\n${this.err}`);
      await once(this.#changed, 'change', { signal: deadline }).catch(() => {
        throw new Error(`${this.#name} did not write ${pattern} within ${seconds} s:\n${this.out}\n${this.err}`);
      });
    }
  }

  kill(signal = 'SIGTERM') {
    this.#child.kill(signal);
  }

  /** Ends it and gives its exit code; by force where it does not end itself. */
  async stop(signal = 'SIGTERM') {
    this.kill(signal);
    const force = setTimeout(() => this.kill('SIGKILL'), 15_000);
    try {
      return await this.ended;
    } finally {
      clearTimeout(force);
    }
  }
}

/** Runs a program to its end, which must come within some seconds. */
export async function finish(command, args, { seconds = 30, ...options } = {}) {
  const program = new Program(command, args, options);
  const force = setTimeout(() => program.kill('SIGKILL'), seconds * 1000);
  const code = await program.ended;
  clearTimeout(force);
  return { code, out: program.out, err: program.err };
}
