import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { Server } from '../lib/acquaint.mjs';
import { answering, secret, urlOf } from '../lib/host.mjs';
import { binary } from '../lib/paths.mjs';
import { Program, finish } from '../lib/program.mjs';
import { writeFiles } from '../lib/readme.mjs';

describe('tokens of a host application', () => {
  let folder;
  let server;
  let host;
  let answer; // what the host application answers, given a user
  before(async () => {
    folder = await writeFiles();
    process.env.ACQUAINT_JWT_SECRET = secret;
    server = await Server.start({ command: 'serve', env: { ACQUAINT_JWT_SECRET: secret } });
    host = await answering(({ handle }) =>
      answer({ id: `user-${handle}`, login: handle, name: handle.toUpperCase(), email: `${handle}@example.com` }),
    );
  });
  after(async () => {
    delete process.env.ACQUAINT_JWT_SECRET;
    host?.closeAllConnections();
    host?.close();
    await server?.stop();
  });

  const run = (handle, ...args) => [
    process.execPath,
    ['--experimental-websocket', '--no-warnings', 'try.mjs', ...args],
    { cwd: folder, env: { ACQUAINT_URL: server.url, TOKEN_URL: urlOf(host), ACQUAINT_AS: handle } },
  ];

  for (const library of ['apollo', 'urql']) {
    test(`a subscription outlives its token, and the host application's absence (${library})`, { timeout: 40_000 }, async () => {
      const { acquaintToken } = await import(pathToFileURL(path.join(folder, 'host.mjs')));
      const me = `${library}-me`;
      // One token for the first query, one for the socket. When they end, there is none at first; then there is again.
      let refused;
      const failed = new Promise((resolve) => (refused = resolve));
      let asked = 0;
      answer = (user) => {
        asked += 1;
        if (asked === 3) return void refused();
        return acquaintToken(user, 2);
      };
      const watch = new Program(...run(me, library, 'watch'));
      await watch.output(new RegExp(`^${me.toUpperCase()}: 0 invitations`));

      await failed;
      answer = (user) => acquaintToken(user, 60);
      const { code, out, err } = await finish(...run(`${library}-other`, library, 'invite', me, 'Hello'));
      assert.equal(err, '');
      assert.equal(code, 0);
      assert.match(out, new RegExp(`Invited ${me.toUpperCase()}\\.`));
      await watch.output(/OTHER invites you: Hello/);
      assert.equal(watch.lines.length, 2);
      assert.equal(watch.err, '');
      await watch.stop();
    });
  }

  for (const library of ['apollo', 'urql']) {
    test(`a token that is refused is replaced once (${library})`, async () => {
      const { acquaintToken } = await import(pathToFileURL(path.join(folder, 'host.mjs')));
      let first = true;
      answer = async (user) => {
        const good = await acquaintToken(user, 60);
        if (!first) return good;
        first = false;
        return { ...good, token: `${good.token}x` };
      };
      const { out, err } = await finish(...run(`${library}-refused`, library, 'invite', `${library}-refused`));
      assert.equal(err, '');
      assert.match(out, /CANNOT_INVITE_SELF/);
    });
  }

  test('the host application publishes notifications and erases members', async () => {
    const { acquaintToken } = await import(pathToFileURL(path.join(folder, 'host.mjs')));
    process.env.ACQUAINT_URL = server.url;
    const { publish, erase } = await import(pathToFileURL(path.join(folder, 'service.mjs')));
    delete process.env.ACQUAINT_URL;
    const ask = async (query) => {
      const { token } = await acquaintToken({ id: '42', login: 'mona', name: 'Mona' }, 60);
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        body: JSON.stringify({ query }),
      });
      return (await response.json()).data.viewer;
    };
    const { id } = (await ask('{ viewer { member { id } } }')).member;
    const note = { key: 'one', category: 'COMMENT', subjects: ['42'], title: 'Somebody commented', url: 'https://app.example.com/' };
    assert.equal((await publish(note)).published, 1);
    assert.equal((await publish(note)).published, 1);
    const inbox = '{ viewer { notifications(first: 5) { nodes { category ... on HostNotification { title url } } } } }';
    assert.deepEqual((await ask(inbox)).notifications.nodes, [{ category: 'COMMENT', title: note.title, url: note.url }]);
    assert.equal((await erase('42')).deletedMemberId, id);
    await assert.rejects(erase('42'), /no member of this subject/);
    assert.notEqual((await ask('{ viewer { member { id } } }')).member.id, id); // whose token is still good is somebody new
  });

  test('acquaint token --service prints a token of the host application', async () => {
    const { code, out } = await finish(binary, ['token', '--service', '--subject', 'backend'], { env: { ACQUAINT_JWT_SECRET: secret } });
    assert.equal(code, 0);
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${out.trim()}` },
      body: JSON.stringify({ query: 'mutation { upsertMember(input: {subject: "77", name: "Ugo"}) { created member { handle } } }' }),
    });
    assert.deepEqual((await response.json()).data.upsertMember, { created: true, member: { handle: 'ugo' } });
  });

  for (const alg of ['RS256', 'ES256', 'EdDSA']) {
    test(`${alg} by a key set, with issuer and audience`, async () => {
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
      const keys = await answering(async () => ({ keys: [{ ...(await exportJWK(publicKey)), alg, kid: 'one', use: 'sig' }] }));
      const serve = await Server.start({
        command: 'serve', flags: ['--jwks-url', urlOf(keys), '--jwt-issuer', 'me', '--jwt-audience', 'acquaint'],
      });
      const ask = async (issuer, audience) => {
        const token = await new SignJWT({ name: 'Key Holder' })
          .setProtectedHeader({ alg, kid: 'one' }).setSubject('7').setExpirationTime('1m').setIssuer(issuer).setAudience(audience).sign(privateKey);
        const response = await fetch(`${serve.url}/graphql`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
          body: JSON.stringify({ query: '{ viewer { member { name handle } } }' }),
        });
        return [response.status, (await response.json()).data?.viewer.member];
      };
      try {
        assert.deepEqual(await ask('me', 'acquaint'), [200, { name: 'Key Holder', handle: 'key-holder' }]);
        assert.deepEqual(await ask('another', 'acquaint'), [401, undefined]);
        assert.deepEqual(await ask('me', 'another'), [401, undefined]);
      } finally {
        await serve.stop();
        keys.closeAllConnections();
        keys.close();
      }
    });
  }
});
