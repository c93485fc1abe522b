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
    server = await Server.start();
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

  test('the call from a terminal works', async () => {
    const script = block('first-call.sh').replace('go run ./cmd/acquaint', binary).replace('http://127.0.0.1:8080', server.url);
    const { code, out, err } = await finish('sh', ['-euc', script], { cwd: server.folder });
    assert.equal(code, 0, err);
    assert.equal(JSON.parse(out).data.viewer.member.name, 'Ada Lindqvist');
  });
});
