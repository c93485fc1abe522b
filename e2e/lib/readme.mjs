import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { newFolder } from './acquaint.mjs';
import { packages, root } from './paths.mjs';

/** The text of README.md. */
export const readme = await readFile(path.join(root, 'README.md'), 'utf8');

/** Its code blocks that bear a title, as in ```js title="apollo.mjs": those the tests run. */
export const blocks = new Map(
  [...readme.matchAll(/^```(\w+) title="([^"]+)"\n(.*?)^```$/gms)].map(([, , title, text]) => [title, text]),
);

/** A block by its title. */
export function block(title) {
  const text = blocks.get(title);
  if (text === undefined) throw new Error(`README.md has no code block with title="${title}"`);
  return text;
}

/** Writes the JavaScript files of README.md, as they are there, into a new folder where they find their packages. */
export async function writeFiles() {
  const folder = await newFolder('readme');
  await mkdir(folder, { recursive: true });
  for (const [title, text] of blocks) if (title.endsWith('.mjs')) await writeFile(path.join(folder, title), text);
  await symlink(packages, path.join(folder, 'node_modules'), 'dir');
  return folder;
}
