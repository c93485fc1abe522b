import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createClient } from 'graphql-ws';
import { Server } from '../lib/acquaint.mjs';
import { binary } from '../lib/paths.mjs';
import { finish } from '../lib/program.mjs';
import { block } from '../lib/readme.mjs';

/** What a member hears over a socket: read with next(). */
async function listen(server, handle, query) {
  const client = createClient({
    url: `${server.url.replace('http', 'ws')}/graphql`,
    connectionParams: { Authorization: `Bearer ${await server.token(handle)}` },
    retryAttempts: 0,
  });
  const results = client.iterate({ query });
  // Answered once the subscription has started, as it is asked after it on the same socket.
  for await (const { errors } of client.iterate({ query: '{ __typename }' })) assert.equal(errors, undefined);
  return {
    async next() {
      const seconds = 10;
      let timer;
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${handle} heard nothing within ${seconds} s`)), seconds * 1000);
      });
      try {
        return (await Promise.race([results.next(), late])).value;
      } finally {
        clearTimeout(timer);
      }
    },
    end: () => client.dispose(),
  };
}

describe('what README.md shows of the API', () => {
  let server;
  const sockets = [];
  before(async () => {
    server = await Server.start({ flags: ['--reminder-interval', '0s'] }); // a reminder need not wait a week
  });
  after(async () => {
    for (const socket of sockets) socket.end();
    await server?.stop();
  });

  test('the transcript is what happens', async () => {
    const query = `subscription { notificationReceived(after: "") { node {
      category actor { name }
      ... on InvitationReceivedNotification { invitation { id note } }
      ... on InvitationAcceptedNotification { invitation { id note } }
    } } }`;
    const heard = {};
    const answered = {};
    const ids = {}; // the last of each kind
    for (const [, handle, to, from] of block('transcript').matchAll(/^(\w+) *(?:> (.*)|< (.*))$/gm)) {
      if (to) {
        const { member } = await server.data(handle, '{ member(handle: "ada") { id } }');
        const operation = to.replace('mbr_…', member.id).replace('inv_…', ids.inv);
        answered[handle] = await server.ask(handle, operation);
        continue;
      }
      let text = answered[handle];
      delete answered[handle];
      if (!text) {
        if (!heard[handle]) sockets.push((heard[handle] = await listen(server, handle, query)));
        // The demo members had notifications before.
        for (let seen; seen !== text || !text; ) {
          seen = JSON.stringify(await heard[handle].next());
          if (/"note":"Coffee\?"/.test(seen)) text = seen;
        }
      }
      ids.inv = text.match(/inv_\w+/)?.[0] ?? ids.inv;
      assert.equal(text.replaceAll(/(mbr|inv)_\w+/g, '$1_…'), from);
    }
    assert.ok(ids.inv, 'the transcript was not empty');
  });

  test('the operations to paste work', async () => {
    const { member } = await server.data('bruno', block('find'));
    assert.equal(member.name, 'Hiro Tanaka (田中 寛)');

    const subscription = await listen(server, 'hiro', block('subscribe'));
    sockets.push(subscription);

    const { inviteMember } = await server.data('bruno', block('invite'), {
      ...JSON.parse(block('invite-variables')), memberId: member.id,
    });
    assert.deepEqual(inviteMember.userErrors, []);
    assert.equal(inviteMember.invitation.state, 'PENDING');

    let heard;
    do heard = (await subscription.next()).data.notificationReceived;
    while (heard.node.actor.name !== 'Bruno Carvalho');
    assert.deepEqual(heard.node, {
      category: 'INVITATION_RECEIVED',
      actor: { name: 'Bruno Carvalho' },
      invitation: { id: inviteMember.invitation.id, note: 'Good to meet you here.' },
    });

    const { respondToInvitation } = await server.data('hiro', block('respond'), {
      ...JSON.parse(block('respond-variables')), invitationId: heard.node.invitation.id,
    });
    assert.deepEqual(respondToInvitation.userErrors, []);
    assert.equal(respondToInvitation.invitation.state, 'ACCEPTED');
    assert.equal(respondToInvitation.member.relationship.status, 'CONNECTED');
  });

  const idOf = async (as, handle) =>
    (await server.data(as, 'query($handle: String!) { member(handle: $handle) { id } }', { handle })).member.id;

  test('a reminder reaches the recipient', async () => {
    const invitationId = await server.invite('mateo', 'yusuf', 'Shall we?');
    const { remindInvitation } = await server.data('mateo', block('remind'), { invitationId });
    assert.deepEqual(remindInvitation.userErrors, []);
    assert.ok(remindInvitation.invitation.lastRemindedAt);
    const { viewer } = await server.data(
      'yusuf', '{ viewer { notifications(first: 1) { nodes { ... on InvitationReceivedNotification { reminder invitation { id } } } } } }',
    );
    assert.deepEqual(viewer.notifications.nodes, [{ reminder: true, invitation: { id: invitationId } }]);
  });

  test('what is written arrives, in the conversation and as a change', async () => {
    const messages = await listen(server, 'chidi', block('messages'));
    const changes = await listen(server, 'chidi', block('changes'));
    sockets.push(messages, changes);

    const variables = { memberId: await idOf('ada', 'chidi'), clientKey: 'one' };
    const { sendMessage } = await server.data('ada', block('write'), variables);
    assert.deepEqual(sendMessage.userErrors, []);
    assert.equal(sendMessage.message.conversation.canSend, true);
    const again = await server.data('ada', block('write'), variables);
    assert.equal(again.sendMessage.message.id, sendMessage.message.id);
    const { messageReceived } = (await messages.next()).data;
    assert.deepEqual(messageReceived, {
      id: sendMessage.message.id, body: 'Have you a minute?', sentAt: sendMessage.message.sentAt,
      sender: { name: 'Ada Lindqvist' }, conversation: { id: sendMessage.message.conversation.id, unreadCount: 1 },
    });

    const invitationId = await server.invite('rosa', 'chidi');
    const { networkChanged } = (await changes.next()).data;
    assert.equal(networkChanged.kind, 'INVITATION_ADDED');
    assert.deepEqual(networkChanged.invitation, { id: invitationId, state: 'PENDING' });
  });

  test('a block, privacy settings and an export work', async () => {
    const memberId = await idOf('ada', 'grace');
    const { blockMember } = await server.data('ada', block('block'), { memberId });
    assert.deepEqual(blockMember, { member: { name: blockMember.member.name, relationship: { status: 'BLOCKED' } }, userErrors: [] });
    assert.equal((await server.data('grace', '{ member(handle: "ada") { id } }')).member, null);

    const { updatePrivacySettings } = await server.data('ada', block('privacy'));
    assert.deepEqual(updatePrivacySettings.userErrors, []);
    assert.equal(updatePrivacySettings.privacySettings.whoCanInvite, 'MUTUAL_CONNECTIONS');

    const { exportMyData } = await server.data('ada', block('export'));
    const data = JSON.parse(exportMyData.data);
    assert.equal(data.format, 'acquaint.export/1');
    assert.equal(data.blockedMembers.length, 1);
  });

  test('the call from a terminal works', async () => {
    const script = block('first-call.sh').replace('go run ./cmd/acquaint', binary).replace('http://127.0.0.1:8080', server.url);
    const { code, out, err } = await finish('sh', ['-euc', script], { cwd: server.folder });
    assert.equal(code, 0, err);
    assert.equal(JSON.parse(out).data.viewer.member.name, 'Ada Lindqvist');
  });
});
