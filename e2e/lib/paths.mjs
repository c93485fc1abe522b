import path from 'node:path';

/** The root of the repository. */
export const root = path.resolve(import.meta.dirname, '../..');

/** Where screenshots and logs are kept. */
export const artifacts = path.resolve(import.meta.dirname, '../artifacts');

/** Where the packages that the snippets import are. */
export const packages = path.resolve(import.meta.dirname, '../node_modules');

/** The program under test. */
export const binary = process.env.ACQUAINT_BINARY;

/** The folder for everything temporary; npm test removes it at the end. */
export const temporary = process.env.E2E_FOLDER;
