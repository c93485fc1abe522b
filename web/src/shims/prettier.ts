// Stands in for `prettier/standalone`, which GraphiQL loads to prettify operations and their variables.
import { type Token, Lexer, Source, TokenKind, parse, print } from 'graphql';
import { applyEdits, format as formatEdits } from 'jsonc-parser';

/** A document's tokens, and the comments with the number of the token each stands before. */
function scan(text: string): { tokens: Token[]; comments: { before: number; text: string }[] } {
  const lexer = new Lexer(new Source(text));
  const tokens: Token[] = [];
  const comments: { before: number; text: string }[] = [];
  let last = lexer.token;
  for (;;) {
    const token = lexer.advance();
    // advance() passes comments by; they remain in the chain between one token and the next.
    for (let between = last.next; between && between !== token; between = between.next) {
      if (between.kind === TokenKind.COMMENT) comments.push({ before: tokens.length, text: `#${between.value}` });
    }
    tokens.push(token);
    if (token.kind === TokenKind.EOF) return { tokens, comments };
    last = token;
  }
}

/** An operation as graphql-js prints it, with its comments on lines of their own. */
export function formatGraphQL(text: string): string {
  const before = scan(text);
  const printed = print(parse(text));
  const after = scan(printed);
  // Should printing have changed more than white space, no comment could be put back for certain.
  const same =
    before.tokens.length === after.tokens.length &&
    before.tokens.every((token, i) => token.kind === after.tokens[i]?.kind && token.value === after.tokens[i]?.value);
  if (before.comments.length > 0 && !same) return text;

  const lines = printed.split('\n');
  const above = new Map<number, string[]>();
  for (const comment of before.comments) {
    const token = after.tokens[comment.before];
    const line = token === undefined || token.kind === TokenKind.EOF ? lines.length : token.line - 1;
    above.set(line, [...(above.get(line) ?? []), comment.text]);
  }
  const out: string[] = [];
  for (let i = 0; i <= lines.length; i++) {
    const line = lines[i];
    const indent = /^\s*/.exec(line ?? '')?.[0] ?? '';
    // A comment before a closing brace belongs to what the brace closes.
    const inner = line?.trim().startsWith('}') ? `${indent}  ` : indent;
    for (const comment of above.get(i) ?? []) out.push(inner + comment);
    if (line !== undefined) out.push(line);
  }
  return `${out.join('\n').trimEnd()}\n`;
}

function formatJSONC(text: string): string {
  return applyEdits(text, formatEdits(text, undefined, { insertSpaces: true, tabSize: 2 }));
}

export async function format(text: string, options: { parser?: string } = {}): Promise<string> {
  return options.parser === 'graphql' ? formatGraphQL(text) : formatJSONC(text);
}

export default { format };
