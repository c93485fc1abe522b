// Messages and changes of the network, live over graphql-ws; and a notification of a message that came meanwhile.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { socket } from '../clients/graphql-ws.mjs';
import { dataOf, resuming } from '../clients/operations.mjs';
import { Session } from '../clients/session.mjs';
import { Server } from '../lib/acquaint.mjs';
import { Host, secret, sign } from '../lib/host.mjs';

const SEND = `mutation($memberId: ID!, $body: String!) {
  sendMessage(input: {memberId: $memberId, body: $body}) { message { id } userErrors { code } }
}`;

const NOTIFICATIONS = `subscription Notifications($after: String) {
  notificationReceived(after: $after, categories: [MESSAGE]) {
    cursor
    node { actor { name } ... on MessageNotification { message { body } } }
  }
}`;

/** What a subscription gave, each told when it comes. */
function collect(client, query, variables) {
  const all = [];
  let told = () => {};
  client.subscribe({ query, variables }, {
    next(result) {
      all.push(dataOf(result));
      told();
    },
    error: (error) => assert.fail(error),
    complete: () => {},
  });
  return async (count) => {
    const late = AbortSignal.timeout(20_000);
    while (all.length < count) {
      await new Promise((resolve, reject) => {
        told = resolve;
        late.onabort = () => reject(new Error(`only ${all.length} of ${count} came`));
      });
    }
    return all;
  };
}

describe('messages over graphql-ws', () => {
  let server;
  let host;
  let client;
  const ids = {};
  before(async () => {
    host = await Host.start();
    server = await Server.start({ command: 'serve', env: { ACQUAINT_JWT_SECRET: secret }, sign });
    for (const handle of ['ann', 'ben']) {
      ids[handle] = (await server.data(handle, '{ viewer { member { id } } }')).viewer.member.id;
    }
    client = socket(server.url, new Session(host.url, 'ben'), []);
  });
  after(async () => {
    await client?.dispose();
    host?.stop();
    await server?.stop();
  });

  const write = async (body) => {
    const { sendMessage } = await server.data('ann', SEND, { memberId: ids.ben, body });
    assert.deepEqual(sendMessage.userErrors, []);
  };

  test('come live, beside the changes of the network', async () => {
    const messages = collect(client, 'subscription { messageReceived { body sender { name } conversation { unreadCount canSend } } }');
    const changes = collect(client, 'subscription { networkChanged { kind member { name } invitation { state } } }');
    // Answered after both have started, as it is asked on the same socket.
    for await (const result of client.iterate({ query: '{ __typename }' })) dataOf(result);

    await server.invite('ann', 'ben');
    await server.invite('ben', 'ann'); // crosses
    await write('Hello');
    assert.deepEqual(await messages(1), [
      { messageReceived: { body: 'Hello', sender: { name: 'ANN' }, conversation: { unreadCount: 1, canSend: true } } },
    ]);
    const kinds = (await changes(3)).map(({ networkChanged }) => networkChanged.kind);
    assert.deepEqual(kinds, ['INVITATION_ADDED', 'INVITATION_CLOSED', 'CONNECTION_ADDED']);
  });

  test('notify a client that was away when the server restarted', async () => {
    const heard = collect(resuming(client), NOTIFICATIONS, { after: '' });
    await heard(1);
    const { port } = server;
    await server.stop();
    server = await server.again();
    await write('Meanwhile');
    await server.stop();
    server = await server.again({ port });
    await heard(2);
    await write('After');
    assert.deepEqual((await heard(3)).map(({ notificationReceived: { node } }) => node), [
      { actor: { name: 'ANN' }, message: { body: 'Hello' } },
      { actor: { name: 'ANN' }, message: { body: 'Meanwhile' } },
      { actor: { name: 'ANN' }, message: { body: 'After' } },
    ]);
  });
});
