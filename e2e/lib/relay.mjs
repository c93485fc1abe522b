import assert from 'node:assert/strict';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql';
import { newFolder } from './acquaint.mjs';
import { packages } from './paths.mjs';
import { finish } from './program.mjs';

/** The schema as a server tells it, in the schema language. */
export async function schemaOf(server) {
  return printSchema(buildClientSchema(await server.data('schema-reader', getIntrospectionQuery())));
}

/**
 * Compiles the Relay client against a schema and gives its open(); with persist also the file of its documents, and
 * those.
 */
export async function compile(schema, { persist = false } = {}) {
  const folder = await newFolder('relay');
  await cp(path.resolve(import.meta.dirname, '../clients'), path.join(folder, 'clients'), { recursive: true });
  await symlink(packages, path.join(folder, 'node_modules'), 'dir');
  await writeFile(path.join(folder, 'schema.graphql'), schema);
  const file = path.join(folder, 'documents.json');
  const config = { src: './clients/relay', schema: './schema.graphql', language: 'javascript', eagerEsModules: false };
  if (persist) Object.assign(config, { persistConfig: { file: './documents.json', algorithm: 'SHA256' } });
  await writeFile(path.join(folder, 'relay.config.json'), JSON.stringify(config));
  if (persist) await writeFile(file, '{}');
  const { code, out, err } = await finish(process.execPath, [path.join(packages, 'relay-compiler/cli.js')], { cwd: folder });
  assert.equal(code, 0, `relay-compiler failed:\n${out}${err}`);
  const { open } = await import(pathToFileURL(path.join(folder, 'clients/relay/client.mjs')));
  return persist ? { open, file, documents: JSON.parse(await readFile(file, 'utf8')) } : { open };
}
