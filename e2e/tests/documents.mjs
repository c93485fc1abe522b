// Persisted documents: automatic ones, which any client may bring, and servers that run trusted ones only.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { print } from '@apollo/client/utilities';
import { createClient } from 'graphql-ws';
import { INBOX, INVITE, NOTIFICATIONS, resuming } from '../clients/operations.mjs';
import { Session } from '../clients/session.mjs';
import { Server, newFolder } from '../lib/acquaint.mjs';
import { Host, secret, sign } from '../lib/host.mjs';
import { compile, schemaOf } from '../lib/relay.mjs';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const serve = (options) => Server.start({ command: 'serve', env: { ACQUAINT_JWT_SECRET: secret }, sign, ...options });

/** A graphql-ws client of a member, for this test only. */
const socketOf = (server, user) =>
  createClient({
    url: `${server.url.replace('http', 'ws')}/graphql`,
    connectionParams: async () => ({ Authorization: `Bearer ${await server.token(user)}` }),
    retryAttempts: 0,
  });

/** Apollo Client that persists its queries, and what it sent and got over HTTP. */
function apollo(server, host, user, options = {}) {
  const session = new Session(host.url, user);
  const exchanges = [];
  const socket = socketOf(server, user);
  const watched = async (address, request) => {
    const response = await session.fetch(address, request);
    const { errors } = await response.clone().json();
    const sent = request.body ? JSON.parse(request.body) : Object.fromEntries(new URL(address).searchParams);
    const how = [request.method, sent.query ? 'text' : '', sent.extensions ? 'hash' : ''].filter(Boolean).join(' ');
    exchanges.push(`${how}: ${errors?.[0].extensions.code ?? 'data'}`);
    return response;
  };
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: new PersistedQueryLink({ sha256, ...options }).concat(
      ApolloLink.split(
        ({ operationType }) => operationType === 'subscription',
        new GraphQLWsLink(resuming(socket)),
        new HttpLink({ uri: `${server.url}/graphql`, fetch: watched }),
      ),
    ),
    defaultOptions: { query: { fetchPolicy: 'network-only' } },
  });
  return {
    client,
    close: () => socket.dispose(),
    /** What went over HTTP since the last call. */
    exchanges: () => exchanges.splice(0),
    /** The first result of a subscription. */
    first: (query, variables) =>
      new Promise((resolve, reject) => {
        const subscription = client.subscribe({ query, variables }).subscribe({
          next({ data, error }) {
            subscription.unsubscribe();
            if (error) reject(error);
            else resolve(data);
          },
          error: reject,
        });
      }),
  };
}

describe('automatic persisted queries, with Apollo Client', () => {
  let server;
  let host;
  const made = [];
  const client = (...args) => (made.push(apollo(server, host, ...args)), made.at(-1));
  before(async () => {
    host = await Host.start();
    server = await serve();
  });
  after(async () => {
    for (const one of made) one.close();
    host?.stop();
    await server?.stop();
  });

  test('the hash first, then the text, then the hash alone', async () => {
    const { client: first, exchanges } = client('ann');
    const ask = async (from) => (await from.query({ query: gql(INBOX) })).data.viewer.member.name;
    assert.equal(await ask(first), 'ANN');
    assert.deepEqual(exchanges(), ['POST hash: PERSISTED_QUERY_NOT_FOUND', 'POST text hash: data']);
    assert.equal(await ask(first), 'ANN');
    assert.deepEqual(exchanges(), ['POST hash: data']);

    // Another member's client profits.
    const second = client('ben');
    assert.equal(await ask(second.client), 'BEN');
    assert.deepEqual(second.exchanges(), ['POST hash: data']);

    // A restart forgets, and the clients do not mind.
    const { port } = server;
    await server.stop();
    server = await server.again({ port });
    assert.equal(await ask(first), 'ANN');
    assert.deepEqual(exchanges(), ['POST hash: PERSISTED_QUERY_NOT_FOUND', 'POST text hash: data']);
  });

  test('mutations and subscriptions, too', async () => {
    const cara = client('cara');
    const { viewer } = await server.data('dan', INBOX);
    const invite = { mutation: gql(INVITE), variables: { memberId: viewer.member.id, note: 'Hello' } };
    const { data } = await cara.client.mutate(invite);
    assert.deepEqual(data.inviteMember.userErrors, []);
    assert.deepEqual(cara.exchanges(), ['POST hash: PERSISTED_QUERY_NOT_FOUND', 'POST text hash: data']);
    const { data: again } = await cara.client.mutate(invite);
    assert.equal(again.inviteMember.userErrors[0].code, 'ALREADY_INVITED');
    assert.deepEqual(cara.exchanges(), ['POST hash: data']);

    const dan = client('dan');
    const { notificationReceived } = await dan.first(gql(NOTIFICATIONS), { after: '' });
    assert.equal(notificationReceived.node.invitation.note, 'Hello');
    assert.deepEqual(dan.exchanges(), []);
  });

  test('by GET', async () => {
    const { client: eve, exchanges } = client('eve', { useGETForHashedQueries: true });
    const query = gql('query Eve { viewer { member { handle } } }');
    for (const expected of [['GET hash: PERSISTED_QUERY_NOT_FOUND', 'POST text hash: data'], ['GET hash: data']]) {
      assert.equal((await eve.query({ query })).data.viewer.member.handle, 'eve');
      assert.deepEqual(exchanges(), expected);
    }
  });

  test('a hash of another text is refused', async () => {
    const { client: fay } = client('fay', { sha256: (text) => sha256(`${text} `) });
    await assert.rejects(fay.query({ query: gql('query Fay { viewer { member { handle } } }') }), ({ errors }) => {
      assert.equal(errors[0].extensions.code, 'BAD_USER_INPUT');
      return true;
    });
  });
});

describe('trusted documents', () => {
  let server;
  let host;
  let relay; // compiled: { open, documents }
  const apolloQuery = gql('query Handle { viewer { member { handle } } }');
  const made = [];
  before(async () => {
    host = await Host.start();
    const any = await serve();
    relay = await compile(await schemaOf(any), { persist: true });
    await any.stop();
    // Two applications, whose builds wrote a file each.
    const file = path.join(await newFolder('documents'), 'documents.json');
    const text = print(new InMemoryCache().transformDocument(apolloQuery)); // which asks for __typename everywhere
    await writeFile(file, JSON.stringify({ ...relay.documents, [sha256(text)]: text }));
    server = await serve({ flags: ['--trusted-documents', file] });
  });
  after(async () => {
    for (const one of made) await one.close();
    host?.stop();
    await server?.stop();
  });
  const relayClient = async (user, options) => {
    made.push(await relay.open({ url: server.url, session: new Session(host.url, user), ...options }));
    return made.at(-1);
  };
  const idOf = (name) => Object.entries(relay.documents).find(([, text]) => text.includes(name))[0];

  /** Sends a request as a member and gives the status, the code and what came. */
  async function send(request, user = 'ann') {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json', Accept: 'application/graphql-response+json',
        Authorization: `Bearer ${await server.token(user)}`,
      },
      body: JSON.stringify(request),
    });
    const { data, errors } = await response.json();
    return { status: response.status, code: errors?.[0].extensions.code, data };
  }

  test("Relay's persisted documents are run by their ids", async () => {
    assert.equal(Object.keys(relay.documents).length, 5);
    const ann = await relayClient('ann');
    const ben = await relayClient('ben');
    const { member } = await ben.viewer();
    assert.equal(member.name, 'BEN');
    assert.deepEqual((await ann.invite(member.id, 'Hello')).userErrors, []);
    assert.deepEqual((await ben.inbox({ count: 2 })).edges.map(({ node }) => node.actor.name), ['ANN']);
  });

  /** Ben's first notification, by a subscription of which graphql-ws sends what onSocket makes. */
  async function first(onSocket) {
    const ben = await relayClient('ben', { onSocket });
    return new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error(`nothing came; closed with ${ben.closes}`)), 5000).unref();
      const stop = ben.watch('', (edge) => resolve((stop(), edge.node.invitation.note)), reject);
    });
  }
  test('a subscription over a websocket, too, named by a hash', async () => {
    assert.equal(await first(), 'Hello');
  });
  test('or by a documentId, as over HTTP', async () => {
    assert.equal(await first(({ id }, variables) => ({ query: '', documentId: id, variables })), 'Hello');
  });

  test('a subscription over server-sent events, named in the address', async () => {
    const asked = new URLSearchParams({ documentId: idOf('subscription'), variables: JSON.stringify({ after: '' }) });
    const response = await fetch(`${server.url}/graphql?${asked}`, {
      headers: { Accept: 'text/event-stream', Authorization: `Bearer ${await server.token('ben')}` },
    });
    let text = '';
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.includes('\n\nid: ') && /^data: .*\n\n/m.test(text)) break; // which ends the request
    }
    assert.match(text, /"note":"Hello"/);
  });

  test('Apollo Client names them by their hash', async () => {
    const ann = apollo(server, host, 'ann');
    made.push(ann);
    assert.equal((await ann.client.query({ query: apolloQuery })).data.viewer.member.handle, 'ann');
    assert.deepEqual(ann.exchanges(), ['POST hash: data']);
    await assert.rejects(ann.client.query({ query: gql('query Other { viewer { member { id } } }') }), ({ errors }) => {
      assert.equal(errors[0].extensions.code, 'FORBIDDEN');
      return true;
    });
  });

  test('their texts in full are run', async () => {
    const query = relay.documents[idOf('appNodeQuery')];
    assert.deepEqual(await send({ query, variables: { id: 'mbr_nobody' } }), { status: 200, code: undefined, data: { node: null } });
  });

  for (const [what, request] of [
    ['another query', () => ({ query: INBOX })],
    ['the least query', () => ({ query: '{ __typename }' })],
    ['introspection', () => ({ query: '{ __schema { queryType { name } } }' })],
    ['a trusted one with a space more', () => ({ query: `${relay.documents[idOf('appNodeQuery')]} ` })],
    ['an unknown id', () => ({ documentId: sha256('') })],
    ['an unknown hash', () => ({ extensions: { persistedQuery: { version: 1, sha256Hash: sha256('') } } })],
    ['a new persisted query', () => ({ query: INBOX, extensions: { persistedQuery: { version: 1, sha256Hash: sha256(INBOX) } } })],
    ["another text with a trusted one's id", () => ({ query: INBOX, documentId: idOf('appNodeQuery') })],
    ['a name of an object', () => ({ documentId: '__proto__' })],
  ]) {
    test(`${what} is refused`, async () => {
      const { status, code, data } = await send(request());
      assert.deepEqual([status >= 400 && status < 500, code, data], [true, 'FORBIDDEN', undefined], `status ${status}`);
    });
  }

  test('a mutation that is refused changes nothing, by POST or over a websocket', async () => {
    const { viewer } = (await send({ query: relay.documents[idOf('appInboxQuery')] }, 'cara')).data;
    const invite = { query: INVITE, variables: { memberId: viewer.member.id } };
    assert.equal((await send(invite)).code, 'FORBIDDEN');
    const socket = socketOf(server, 'ann');
    try {
      const errors = await new Promise((resolve, reject) => {
        socket.subscribe(invite, { next: reject, error: resolve, complete: reject });
      });
      assert.equal(errors[0].extensions.code, 'FORBIDDEN');
    } finally {
      socket.dispose();
    }
    const inbox = relay.documents[idOf('appInboxQuery')];
    assert.equal((await send({ query: inbox }, 'cara')).data.viewer.unreadNotificationCount, 0);
  });

  test('a file that holds none stops the start', async () => {
    const file = path.join(await newFolder('documents'), 'empty.json');
    await writeFile(file, '{}');
    await assert.rejects(serve({ flags: ['--trusted-documents', file] }), /--trusted-documents|no documents/);
  });
});
