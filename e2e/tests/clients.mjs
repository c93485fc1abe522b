// What every client can do: query, mutate, subscribe, resume after a restart of the server, and go on with a new token.
// Apollo Client and urql, as README.md shows them, are in snippets.mjs and tokens.mjs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as eventSource from '../clients/eventsource.mjs';
import * as genqlient from '../clients/genqlient.mjs';
import * as graphqlSSE from '../clients/graphql-sse.mjs';
import * as graphqlWS from '../clients/graphql-ws.mjs';
import { Session } from '../clients/session.mjs';
import { Server } from '../lib/acquaint.mjs';
import { Host, secret, sign } from '../lib/host.mjs';
import { compile, schemaOf } from '../lib/relay.mjs';

/** What a subscription gave, to be waited for. */
class Heard {
  all = [];
  #waiting = [];

  next = (edge) => {
    this.all.push(edge);
    this.#tell();
  };
  ended = (why) => {
    this.why = why instanceof Error ? why : new Error(`the subscription ended: ${why}`);
    this.#tell();
  };
  #tell() {
    for (const told of this.#waiting.splice(0)) told();
  }

  /** Waits for this many, and gives who and what they are. */
  async until(count, seconds = 20) {
    let late;
    const timer = setTimeout(() => {
      late = new Error(`only ${this.all.length} of ${count} came within ${seconds} s`);
      this.#tell();
    }, seconds * 1000);
    try {
      while (this.all.length < count) {
        if (this.why ?? late) throw this.why ?? late;
        await new Promise((resolve) => this.#waiting.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
    return this.all.map(({ node }) => `${node.sequence} ${node.actor.name} ${node.invitation?.note ?? 'accepted'}`);
  }
}

/** The origin of the page that an application might be. */
const page = 'https://app.example.com';

describe('clients', () => {
  let server;
  let host;
  before(async () => {
    host = await Host.start();
    server = await Server.start({ command: 'serve', env: { ACQUAINT_JWT_SECRET: secret }, sign, flags: ['--allowed-origins', page] });
  });
  after(async () => {
    host?.stop();
    await server?.stop();
  });

  /** Lets somebody else invite a member. */
  const invite = async (from, to) => void (await server.invite(from, to, `from ${from}`));

  /** Restarts the server; meanwhile happens where the client cannot reach it. */
  async function restart(meanwhile) {
    const { port } = server;
    await server.stop();
    server = await server.again();
    await meanwhile();
    await server.stop();
    server = await server.again({ port });
  }

  for (const { name, prepare, transport, more } of [
    { name: 'graphql-ws', prepare: () => graphqlWS, transport: 'ws' },
    { name: 'graphql-sse', prepare: () => graphqlSSE, transport: 'sse' },
    { name: 'eventsource', prepare: () => eventSource, transport: 'sse', more: eventSourceMore },
    { name: 'genqlient', prepare: async () => (await genqlient.prepare(), genqlient), transport: 'ws' },
    { name: 'relay', prepare: async () => compile(await schemaOf(server)), transport: 'ws', more: relayMore },
  ]) {
    describe(name, () => {
      const me = `${name}-ann`;
      const other = (who) => `${name}-${who}`;
      const shown = (who) => other(who).toUpperCase();
      let open;
      let client;
      let last; // the cursor of the last notification
      before(async () => {
        open = async () =>
          (await prepared).open({ url: server.url, user: me, tokenURL: host.url, session: new Session(host.url, me) });
        const prepared = Promise.resolve(prepare());
        client = await open();
      });
      after(() => client?.close());

      test('a query, with a token that was refused first', async () => {
        host.next(me, { spoiled: true }, { seconds: 300 });
        const { member } = await client.viewer();
        assert.equal(member.name, me.toUpperCase());
        assert.equal(host.left(me), 0);
      });

      test('a mutation, and one that is refused', async () => {
        const { viewer } = await server.data(other('ben'), '{ viewer { member { id } } }');
        const { invitation, member, userErrors } = await client.invite(viewer.member.id, 'Hello');
        assert.equal(invitation.state, 'PENDING');
        assert.equal(member.relationship.status, 'INVITATION_SENT');
        assert.deepEqual(userErrors, []);
        const again = await client.invite(viewer.member.id, 'Hello');
        assert.deepEqual(again.userErrors.map(({ code }) => code), ['ALREADY_INVITED']);
      });

      test('a subscription, which outlives the server without gap or duplicate', async () => {
        const heard = new Heard();
        const stop = await client.watch('', heard.next, heard.ended);
        const { viewer } = await server.data(other('ben'), '{ viewer { receivedInvitations { nodes { id } } } }');
        await server.data(
          other('ben'),
          'mutation($id: ID!) { respondToInvitation(input: {invitationId: $id, response: ACCEPT}) { userErrors { code } } }',
          { id: viewer.receivedInvitations.nodes[0].id },
        );
        await heard.until(1);
        await invite(other('cara'), me);
        await heard.until(2);
        client.closes?.splice(0);

        await restart(() => invite(other('dan'), me));
        await heard.until(3);
        await invite(other('eve'), me);
        assert.deepEqual(await heard.until(4), [
          `1 ${shown('ben')} accepted`,
          `2 ${shown('cara')} from ${other('cara')}`,
          `3 ${shown('dan')} from ${other('dan')}`,
          `4 ${shown('eve')} from ${other('eve')}`,
        ]);
        if (transport === 'ws') assert.equal(client.closes[0], 1001, `closed with ${client.closes}`);
        last = heard.all.at(-1).cursor;
        await stop();
        assert.equal(heard.why, undefined);
      });

      test('a subscription, which outlives its token without gap or duplicate', async () => {
        const short = await open();
        try {
          host.next(
            me,
            { seconds: 1 },
            { before: () => invite(other('fay'), me), spoiled: true }, // the first has ended, there is no other yet
            { seconds: 300 },
          );
          const heard = new Heard();
          const stop = await short.watch(last, heard.next, heard.ended);
          await heard.until(1);
          await invite(other('gus'), me);
          assert.deepEqual(await heard.until(2), [
            `5 ${shown('fay')} from ${other('fay')}`,
            `6 ${shown('gus')} from ${other('gus')}`,
          ]);
          assert.equal(host.left(me), 0);
          if (transport === 'ws') assert.deepEqual(short.closes.filter((code) => code !== 1000), [4403, 4403]);
          await stop();
          assert.equal(heard.why, undefined);
        } finally {
          await short.close();
        }
      });

      more?.({ client: () => client, server: () => server, me });
    });
  }
});

/** What an EventSource made with fetch sends when it resumes in a page of another origin: browsers ask for leave first. */
function eventSourceMore({ server }) {
  test('a page of another origin may resume', async () => {
    const response = await fetch(`${server().url}/graphql?query=x`, {
      method: 'OPTIONS',
      headers: {
        Origin: page,
        'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'authorization,last-event-id',
      },
    });
    assert.equal(response.headers.get('access-control-allow-origin'), page);
    assert.match(response.headers.get('access-control-allow-headers'), /last-event-id/i);
  });
}

/** What of Relay depends on the server's conventions. */
function relayMore({ client, server, me }) {
  test('ids are global: node finds them, and the store knows them', async () => {
    const { member } = await server().data(me, '{ member(handle: "relay-fay") { id relationship { id } } }');
    assert.deepEqual(await client().node(member.id), { __typename: 'Member', id: member.id, name: 'RELAY-FAY' });
    await client().invite(member.id);
    // She had invited, so the two are connected; the mutation's answer was merged into the store.
    assert.equal(client().known(member.relationship.id).status, 'CONNECTED');
  });

  test('a connection is read page by page', async () => {
    const loaded = [];
    for (let cursor = null, more = true; more; ) {
      const { edges, pageInfo } = await client().inbox({ count: 4, cursor });
      loaded.splice(0, loaded.length, ...edges.map(({ node }) => node.sequence));
      more = pageInfo.hasNextPage;
      cursor = pageInfo.endCursor;
    }
    assert.deepEqual(loaded, [6, 5, 4, 3, 2, 1]);
  });
}
