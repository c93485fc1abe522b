import type { Fetcher, FetcherParams } from '@graphiql/toolkit';
import { type OperationDefinitionNode, Kind, parse } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import type { Session } from './session';

const ENDPOINT = '/graphql';

/** How a subscription's socket is: shown to the signed-in member. */
export type Live = 'off' | 'connecting' | 'on';

export interface FetcherOptions {
  session?: Session | undefined;
  onLive?: (live: Live) => void;
  /** Sees each result of a subscription before GraphiQL does. */
  onResult?: (data: Record<string, unknown>) => void;
}

type Headers = Record<string, string>;

/** The editor's headers as strings, an Authorization still without its token left out. */
function clean(headers: Record<string, unknown> | undefined): Headers {
  const cleaned: Headers = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (value === null || value === undefined) continue;
    const text = String(value).trim();
    if (name.toLowerCase() === 'authorization' && /^(bearer)?$/i.test(text)) continue;
    cleaned[name] = text;
  }
  return cleaned;
}

function authorization(headers: Headers): { name: string; value: string } | undefined {
  const name = Object.keys(headers).find((key) => key.toLowerCase() === 'authorization');
  return name === undefined ? undefined : { name, value: headers[name] ?? '' };
}

/** Whether the headers carry one of the session's tokens: only those are this page's to renew. */
function isOwn(headers: Headers, session: Session | undefined): session is Session {
  const value = authorization(headers)?.value;
  return value !== undefined && session !== undefined && session.owns(value.replace(/^bearer\s+/i, ''));
}

function withToken(headers: Headers, token: string): Headers {
  return { ...headers, [authorization(headers)?.name ?? 'Authorization']: `Bearer ${token}` };
}

/**
 * The operation to run. GraphiQL takes notice of an edit a moment late, and may then name an operation of the tab
 * before; where the document has only one, it is that one.
 */
function operationOf(query: string, name: string | null | undefined): OperationDefinitionNode | undefined {
  try {
    const operations = parse(query).definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
    return operations.find((node) => node.name?.value === name) ?? (operations.length === 1 ? operations[0] : undefined);
  } catch {
    return undefined; // The server says what is wrong with it.
  }
}

/** An error without the stack, which GraphiQL would print along with it. */
function failure(message: string): Error {
  const error = new Error(message);
  delete error.stack;
  return error;
}

async function overHTTP(params: FetcherParams, headers: Headers, session: Session | undefined) {
  const own = isOwn(headers, session) ? session : undefined;
  const send = (token?: string) =>
    fetch(ENDPOINT, {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json;q=0.9',
        'content-type': 'application/json',
        ...(token === undefined ? headers : withToken(headers, token)),
      },
      body: JSON.stringify(params),
    });

  let response = await send(await own?.token());
  if (response.status === 401 && own) {
    const token = await own.renew().catch(() => undefined);
    if (token !== undefined) response = await send(token);
  }
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw failure(`The server answered ${response.status}${text ? `: ${text.slice(0, 500)}` : ''}`);
  }
}

/** Where a subscription's document takes `after` from: its variable, and the field whose cursor comes back. */
function resumption(operation: OperationDefinitionNode): { field: string; variable: string } | undefined {
  for (const selection of operation.selectionSet.selections) {
    if (selection.kind !== Kind.FIELD) continue;
    const after = selection.arguments?.find((argument) => argument.name.value === 'after')?.value;
    if (after?.kind !== Kind.VARIABLE) continue;
    return { field: selection.alias?.value ?? selection.name.value, variable: after.name.value };
  }
  return undefined;
}

function reason(error: unknown): Error {
  if (error instanceof CloseEvent) {
    return failure(`The server closed the connection: ${error.code}${error.reason ? ` ${error.reason}` : ''}`);
  }
  return failure(error instanceof Error ? error.message : 'The connection could not be made.');
}

function overSocket(
  params: FetcherParams,
  operation: OperationDefinitionNode,
  headers: Headers,
  { session, onLive, onResult }: FetcherOptions,
) {
  const own = isOwn(headers, session) ? session : undefined;
  const url = new URL(ENDPOINT, window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

  let ended = false;
  let connectedBefore = false;
  let refused = 0;
  let failures = 0;

  // A client, and so a socket, for each subscription: its token is the one in the editor when it starts.
  const client: Client = createClient({
    url: url.href,
    connectionAckWaitTimeout: 10_000,
    connectionParams: async () => {
      let token = await own?.token();
      // What a connection broke off with may have been the token: no reconnecting with the same one.
      if (own && (connectedBefore || failures > 0)) token = await own.renew().catch(() => token);
      return token === undefined ? headers : withToken(headers, token);
    },
    retryAttempts: Infinity,
    retryWait: (retries) =>
      new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** retries, 8_000) * (0.75 + Math.random() / 2))),
    shouldRetry: (error) => {
      failures += 1;
      // 4403: no token, or a bad one. One of this page's own may have ended; another is what the user gave.
      if (error instanceof CloseEvent && error.code === 4403) return own !== undefined && ++refused < 3;
      return connectedBefore || failures < 4;
    },
    on: {
      connecting: () => onLive?.('connecting'),
      connected: () => {
        connectedBefore = true;
        refused = 0;
        failures = 0;
        onLive?.('on');
      },
      closed: () => {
        if (!ended) onLive?.('connecting');
      },
    },
  });

  const payload = {
    query: params.query,
    variables: { ...params.variables },
    operationName: operation.name?.value ?? null,
  };
  const resume = resumption(operation);

  return {
    subscribe(observer: {
      next: (value: never) => void;
      error: (error: unknown) => void;
      complete: () => void;
    }) {
      const end = () => {
        ended = true;
        onLive?.('off');
        void client.dispose();
      };
      onLive?.('connecting');
      client.subscribe<Record<string, unknown>>(payload, {
        next(result) {
          if (ended) return;
          const data = result.data ?? undefined;
          if (data && resume) {
            // A reconnect subscribes with the same payload: let it go on after the last one seen.
            const cursor = (data[resume.field] as { cursor?: unknown } | null | undefined)?.cursor;
            if (typeof cursor === 'string') payload.variables[resume.variable] = cursor;
          }
          if (data) onResult?.(data);
          observer.next(result as never);
        },
        error(error) {
          if (ended) return;
          end();
          if (Array.isArray(error)) {
            // GraphQL errors: the operation was refused, not the connection.
            observer.next({ errors: error } as never);
            observer.complete();
          } else {
            observer.error(reason(error));
          }
        },
        complete() {
          if (ended) return;
          end();
          observer.complete();
        },
      });
      return { unsubscribe: end };
    },
  };
}

export function createFetcher(options: FetcherOptions): Fetcher {
  const { session } = options;
  const fetcher = (params: FetcherParams, extra?: { headers?: Record<string, unknown> }) => {
    let headers = clean(extra?.headers);
    // GraphiQL reads the schema before its headers editor is there.
    if (extra?.headers === undefined && params.operationName === 'IntrospectionQuery' && session) {
      headers = withToken(headers, session.current);
    }
    const operation = operationOf(params.query, params.operationName);
    if (operation?.operation === 'subscription') return overSocket(params, operation, headers, options);
    const operationName = operation?.name?.value ?? params.operationName;
    return overHTTP({ ...params, operationName: operationName ?? null } as FetcherParams, headers, session);
  };
  return fetcher as Fetcher;
}
