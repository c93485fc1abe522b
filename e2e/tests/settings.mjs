import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { binary } from '../lib/paths.mjs';
import { finish } from '../lib/program.mjs';
import { readme } from '../lib/readme.mjs';

/** The flags of a command as its --help tells them: flag → { environment, default }. */
async function flagsOf(command) {
  const { code, out } = await finish(binary, [command, '--help']);
  assert.equal(code, 0);
  const flags = {};
  for (const text of out.split(/\n {2,6}(?=(?:-\w, )?--)/).slice(1)) {
    const [, name, preset] = text.match(/--(?:\[no-\])?([a-z-]+)(?:="?([^"\s]*)"?)?/);
    const environment = text.match(/\$(ACQUAINT_\w+)/)?.[1];
    // A placeholder in capitals stands where there is no default; a switch is on, unless its name says otherwise.
    const value = text.includes('--[no-]') ? 'true' : /^[A-Z]/.test(preset ?? 'A') ? '' : preset;
    if (!['help', 'version'].includes(name)) flags[name] = { environment, value };
  }
  return flags;
}

/** The settings of README.md's table, likewise. */
function documented() {
  const flags = {};
  for (const [, name, environment, preset] of readme.matchAll(/^\| `--([a-z-]+)` \| `(\w+)` \| ([^|]*) \|/gm)) {
    flags[name] = { environment, value: preset.match(/`(.*)`/)?.[1] ?? '' };
  }
  return flags;
}

describe('the settings', () => {
  test('README.md has those of acquaint serve, with their defaults, and no others', async () => {
    assert.deepEqual(documented(), await flagsOf('serve'));
  });

  test('acquaint dev takes the same, less those about tokens and --no-migrate', async () => {
    const serve = Object.keys(await flagsOf('serve')).filter((name) => !/^(jw|migrate)/.test(name));
    assert.deepEqual(Object.keys(await flagsOf('dev')).toSorted(), serve.toSorted());
  });
});
