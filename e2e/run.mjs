// Builds the program once, runs the tests with it, and clears up. ACQUAINT_BINARY names a program that is built already.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './lib/paths.mjs';

const folder = await mkdtemp(path.join(tmpdir(), 'acquaint-e2e-'));
let running;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => running?.kill('SIGTERM'));

/** Runs a command to its end and gives its exit code. */
function run(command, args, options) {
  return new Promise((resolve, reject) => {
    running = spawn(command, args, { stdio: 'inherit', ...options });
    running.on('error', (error) => reject(new Error(`cannot run ${command}: ${error.message}`)));
    running.on('exit', (code) => resolve(code ?? 1));
  });
}

try {
  let binary = process.env.ACQUAINT_BINARY;
  process.exitCode = 0;
  if (!binary) {
    binary = path.join(folder, 'acquaint');
    process.exitCode = await run('go', ['build', '-o', binary, './cmd/acquaint'], { cwd: root });
  }
  if (process.exitCode === 0) {
    process.exitCode = await run(
      process.execPath,
      // Node 20 has WebSocket behind a flag; later versions take the flag, too.
      [
        '--experimental-websocket', '--no-warnings', '--test', '--test-reporter=spec',
        '--test-timeout=230000', // of all together
        ...process.argv.slice(2), 'tests/all.mjs',
      ],
      { cwd: import.meta.dirname, env: { ...process.env, ACQUAINT_BINARY: path.resolve(binary), E2E_FOLDER: folder } },
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
