import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { Server } from '../lib/acquaint.mjs';

/** The audits whose recommendation is not followed, and why. */
const declined = {};

describe('the audits of graphql-http', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server?.stop());

  const audits = serverAudits({ url: () => `${server.url}/graphql` });
  test('there are some', () => assert.ok(audits.length > 40, `${audits.length}`));
  for (const { id, name, fn } of audits) {
    test(`${id}: ${name}`, async () => {
      const { status, reason, response } = await fn();
      await response?.body?.cancel().catch(() => {}); // some have been read
      assert.equal(status, declined[id] ?? 'ok', reason);
    });
  }
});
