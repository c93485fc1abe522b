// What Prettier's plugins export; the formatter in ./prettier.ts needs none of it.
export const parsers = {};
export const printers = {};
export default { parsers, printers };
