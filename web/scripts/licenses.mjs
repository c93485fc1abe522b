import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const RULE = '-'.repeat(79);

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`;

/** The package a bundled module is part of: the nearest package.json with a name and a version. */
function packageOf(id) {
  for (let folder = dirname(id); folder.includes('node_modules'); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      const manifest = JSON.parse(readFileSync(file, 'utf8'));
      if (manifest.name && manifest.version) return { folder, manifest };
    }
  }
  return undefined;
}

/** The licence and notice texts a package ships, in the order of their names. */
function textsOf(folder) {
  return readdirSync(folder)
    .filter((name) => /^(licen[sc]e|notice|copying|third-?party-?notices?)([._-].*)?$/i.test(name))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim());
}

function repositoryOf(manifest) {
  const url = typeof manifest.repository === 'string' ? manifest.repository : manifest.repository?.url;
  return url?.replace(/^git\+/, '').replace(/\.git$/, '');
}

/** For a package that ships no text: its licence as its author's, in the usual words. */
function usualTextOf({ license, author, name }) {
  if (license !== 'MIT') throw new Error(`${name} ships no licence text`);
  const holder = (typeof author === 'string' ? author : author?.name)?.replace(/\s*[<(].*/, '');
  return `MIT License\n\nCopyright (c) ${holder ?? `the authors of ${name}`}\n\n${MIT}`;
}

/** One package's part of the file. A text printed before is referred to, not repeated. */
function entry({ folder, manifest }, printed, others) {
  const name = `${manifest.name} ${manifest.version}`;
  const repository = repositoryOf(manifest);
  let texts = textsOf(folder);
  if (texts.length === 0) {
    // A package out of a repository of many often leaves the text to the others.
    const sibling = others.find(
      (other) =>
        repository && repositoryOf(other.manifest) === repository && other.manifest.license === manifest.license && textsOf(other.folder).length > 0,
    );
    texts = sibling ? textsOf(sibling.folder) : [usualTextOf(manifest)];
  }
  const shown = texts.map((text) => {
    const first = printed.get(text);
    if (first === undefined) printed.set(text, name);
    return first === undefined ? text : `The licence text is the same as that of ${first}, above.`;
  });
  return [
    RULE,
    name,
    `Licence: ${manifest.license ?? 'see below'}`,
    ...(repository ? [`Source: ${repository}`] : []),
    '',
    shown.join('\n\n'),
    '',
  ].join('\n');
}

/**
 * Gathers the packages whose modules end up in the bundle (the page's and the workers'), and writes their
 * licences next to it.
 */
export function licenses(fileName) {
  const ids = new Set();
  const gather = (context) => {
    for (const id of context.getModuleIds()) {
      const path = id.replace(/^\0/, '').replace(/\?.*$/, '');
      if (path.includes('node_modules')) ids.add(path);
    }
  };
  return {
    /** For each build that makes chunks, a worker's too. */
    collect: () => ({
      name: 'licenses:collect',
      apply: 'build',
      generateBundle() {
        gather(this);
      },
    }),
    /** For the page's build, which ends last. */
    write: () => ({
      name: 'licenses:write',
      apply: 'build',
      enforce: 'post',
      generateBundle() {
        const packages = new Map();
        for (const id of ids) {
          const found = packageOf(id);
          if (found) packages.set(`${found.manifest.name} ${found.manifest.version}`, found);
        }
        const printed = new Map();
        const keys = [...packages.keys()].sort();
        const source = [
          'The web pages of this program contain the following third-party software.',
          '',
          ...keys.map((key) => entry(packages.get(key), printed, keys.map((other) => packages.get(other)))),
        ].join('\n');
        this.emitFile({ type: 'asset', fileName, source });
      },
    }),
  };
}
