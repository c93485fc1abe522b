import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Server } from '../lib/acquaint.mjs';
import { Program, finish } from '../lib/program.mjs';
import { readme, writeFiles } from '../lib/readme.mjs';

const node = (args) => [process.execPath, ['--experimental-websocket', '--no-warnings', ...args]];

/** The two terminals of README.md: what is typed and what comes. */
function terminals() {
  const [, text] = readme.match(/^```console\n(\$ ACQUAINT_AS=.*?)^```$/ms);
  return text.split(/\n\n/).map((terminal) => {
    const [typed, ...lines] = terminal.trim().split('\n');
    const [, handle, library, action, ...rest] = typed.match(/^\$ ACQUAINT_AS=(\w+) node try\.mjs (\w+) (\w+)(?: (\w+) "(.*)")?$/);
    return { handle, library, args: [action, ...rest.filter((one) => one !== undefined)], lines };
  });
}

describe('the snippets of README.md', () => {
  let folder;
  before(async () => {
    folder = await writeFiles();
  });

  /** Starts try.mjs as a demo member. */
  const start = (server, handle, ...args) =>
    new Program(...node(['try.mjs', ...args]), { cwd: folder, env: { ACQUAINT_URL: server.url, ACQUAINT_AS: handle } });
  /** Runs try.mjs to its end, which must go well, and gives its lines. */
  async function run(server, handle, ...args) {
    const { code, out, err } = await finish(...node(['try.mjs', ...args]), {
      cwd: folder, env: { ACQUAINT_URL: server.url, ACQUAINT_AS: handle },
    });
    assert.equal(err, '');
    assert.equal(code, 0);
    return out.trimEnd().split('\n');
  }

  for (const [library, other] of [['apollo', 'urql'], ['urql', 'apollo']]) {
    describe(library, () => {
      let server;
      const watching = [];
      before(async () => {
        server = await Server.start();
      });
      after(async () => {
        await Promise.all(watching.map((program) => program.stop()));
        await server?.stop();
      });

      test('query, mutation and subscription do what README.md says', async () => {
        const [first, second] = terminals();
        const ada = start(server, first.handle, library, ...first.args);
        watching.push(ada);
        await ada.output(/wait for an answer/);
        const zoe = start(server, second.handle, other, 'watch');
        watching.push(zoe);
        await zoe.output(/wait for an answer/);

        assert.deepEqual(await run(server, second.handle, other, ...second.args), second.lines);
        await ada.output(/are connected/);
        assert.deepEqual(ada.lines, first.lines);
        await zoe.output(/Ada Lindqvist accepted your invitation\./);
        assert.equal(ada.err + zoe.err, '');
      });

      test('userErrors are shown', async () => {
        const lines = await run(server, 'ada', library, 'invite', 'ada');
        assert.equal(lines.at(-1), 'Refused: You cannot invite yourself. (CANNOT_INVITE_SELF)');
      });

      test('crossing invitations connect', async () => {
        const lines = await run(server, 'ada', library, 'invite', 'clara');
        assert.equal(lines.at(-1), 'You and Clara Schmidt are connected.');
      });

      test('messages are shown', async () => {
        const bruno = start(server, 'bruno', library, 'watch');
        watching.push(bruno);
        await bruno.output(/wait for an answer/);
        const { member } = await server.data('chidi', '{ member(handle: "bruno") { id } }');
        const { sendMessage } = await server.data(
          'chidi', 'mutation($id: ID!) { sendMessage(input: {memberId: $id, body: "Hello"}) { userErrors { code } } }', { id: member.id },
        );
        assert.deepEqual(sendMessage.userErrors, []);
        await bruno.output(/Chidi Okafor writes: Hello/);
        assert.equal(bruno.err, '');
      });

      test('a subscription outlives the server, without gap or duplicate', async () => {
        const rosa = start(server, 'rosa', library, 'watch');
        watching.push(rosa);
        await rosa.output(/wait for an answer/);
        await server.invite('ada', 'rosa', 'before');
        await rosa.output(/before/);

        // Gone, and back at another address: this invitation is made while rosa is surely not listening.
        const { folder, port } = server;
        await server.stop();
        server = await Server.start({ folder });
        await server.invite('bruno', 'rosa', 'meanwhile');
        await server.stop();
        assert.equal(rosa.lines.length, 2);

        server = await Server.start({ folder, port });
        await rosa.output(/meanwhile/);
        await server.invite('chidi', 'rosa', 'after');
        await rosa.output(/after/);
        assert.deepEqual(rosa.lines.slice(1), [
          'Ada Lindqvist invites you: before',
          'Bruno Carvalho invites you: meanwhile',
          'Chidi Okafor invites you: after',
        ]);
        assert.equal(rosa.err, '');
      });
    });
  }

  describe('server-sent events', () => {
    let server;
    before(async () => {
      server = await Server.start();
    });
    after(() => server?.stop());

    for (const [file, from] of [['sse.mjs', 'ada'], ['events.mjs', 'bruno']]) {
      test(`${file} goes on after a restart`, async () => {
        const program = new Program(...node([file]), { cwd: folder, env: { ACQUAINT_URL: server.url, ACQUAINT_AS: 'rosa' } });
        try {
          const inbox = '{ viewer { notifications(first: 100) { nodes { id } } } }';
          const ids = async () => (await server.data('rosa', inbox)).viewer.notifications.nodes.map(({ id }) => id).reverse();
          await program.output(new RegExp((await ids()).at(-1)));
          const { port } = server;
          await server.stop();
          server = await server.again({ port });
          await server.invite(from, 'rosa', file);
          await program.output(new RegExp((await ids()).at(-1)));
          assert.deepEqual(program.lines, await ids());
          assert.equal(program.err, '');
        } finally {
          await program.stop();
        }
      });
    }
  });
});
