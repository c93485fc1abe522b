import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { Server } from '../lib/acquaint.mjs';
import { artifacts } from '../lib/paths.mjs';
import { cleanEnvironment } from '../lib/program.mjs';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const patience = 20_000; // ms

describe('the demo pages in Chromium', () => {
  let server;
  let browser;
  let context;
  let start; // the start page
  const faults = []; // what no page may do

  before(async () => {
    await mkdir(artifacts, { recursive: true });
    server = await Server.start();
    browser = await chromium.launch({
      executablePath,
      env: cleanEnvironment(),
      args: [
        '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync',
      ],
    });
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    context.setDefaultTimeout(patience);
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol !== 'data:' && url.protocol !== 'blob:' && url.origin !== server.url) faults.push(`request to ${url.href}`);
    });
    context.on('requestfailed', (request) => faults.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
    context.on('response', (response) => {
      if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
    });
    context.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()}`);
    });
    context.on('weberror', (error) => faults.push(`uncaught: ${error.error().message}`));
    context.on('page', (page) => {
      page.on('websocket', (socket) => {
        if (new URL(socket.url()).host !== new URL(server.url).host) faults.push(`websocket to ${socket.url()}`);
      });
    });
    await context.exposeBinding('e2eFault', (_, text) => faults.push(text));
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        globalThis.e2eFault(`policy: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  afterEach(() => assert.deepEqual(faults, [], 'the pages do nothing they should not'));

  const picture = (page, name) => page.screenshot({ path: path.join(artifacts, `${name}.png`) });

  /** Opens a demo member's window from the start page. */
  async function open(handle) {
    await start.bringToFront();
    const [page] = await Promise.all([context.waitForEvent('page'), start.locator(`a.card[data-handle="${handle}"]`).click()]);
    await page.locator('.graphiql-query-editor .view-lines').waitFor();
    return page;
  }
  async function selectTab(page, name) {
    await page.bringToFront();
    await page.getByRole('button', { name, exact: true }).click();
  }
  const runIt = (page) => page.locator('.graphiql-execute-button').click();
  /** Waits until the response shows a text. */
  async function shows(page, text) {
    await page.bringToFront();
    await page.waitForFunction(
      (wanted) => document.querySelector('.result-window .view-lines')?.innerText.replaceAll('\u00a0', ' ').includes(wanted),
      text,
      { timeout: patience },
    );
  }
  /** Waits until the variables, filled in by the page, hold a text. */
  async function variablesSay(page, text) {
    await page.waitForFunction(
      (wanted) =>
        [...document.querySelectorAll('.graphiql-editor-tool .view-lines')].some((editor) =>
          editor.innerText.replaceAll('\u00a0', ' ').includes(wanted),
        ),
      text,
      { timeout: patience },
    );
  }
  const live = (page, state) => page.locator(`header.bar .bar-live[data-live="${state}"]`).waitFor({ state: 'attached' });

  let zoe;
  let nadia;

  test('the start page shows the demo members', async () => {
    start = await context.newPage();
    await start.goto(server.url);
    await start.locator('a.card').first().waitFor();
    assert.equal(await start.locator('a.card').count(), 30);
    assert.match(await start.locator('a.card[data-handle="ada"]').innerText(), /Ada Lindqvist/);
    // Every face has loaded.
    await start.waitForFunction(() => [...document.querySelectorAll('img.face')].every((face) => face.complete && face.naturalWidth > 0));
    await picture(start, '1-start');
  });

  test('each member opens in a window of their own', async () => {
    zoe = await open('zoe');
    nadia = await open('nadia');
    assert.match(await zoe.locator('header.bar').innerText(), /Zoë van Dijk/);
    assert.match(await nadia.locator('header.bar').innerText(), /Nadia Petrova/);
    await zoe.bringToFront();
    await runIt(zoe);
    await shows(zoe, '"handle": "zoe"');
    await picture(zoe, '2-who-am-i');
  });

  test('an invitation arrives in the other window', async () => {
    await selectTab(zoe, 'Subscribe');
    await runIt(zoe);
    await live(zoe, 'on');
    await selectTab(nadia, 'Invite');
    await variablesSay(nadia, 'Zoë van Dijk (@zoe)');
    await runIt(nadia);
    await shows(nadia, '"PENDING"');
    await picture(nadia, '3-invite');

    await shows(zoe, 'Nadia Petrova');
    await shows(zoe, 'INVITATION_RECEIVED');
    await picture(zoe, '4-invitation-arrives');
  });

  test('accepting it shows in the first window', async () => {
    await selectTab(nadia, 'Subscribe');
    await runIt(nadia);
    await live(nadia, 'on');
    await selectTab(zoe, 'Respond');
    await variablesSay(zoe, 'From Nadia Petrova');
    await runIt(zoe);
    await shows(zoe, '"CONNECTED"');
    await shows(zoe, 'Nadia Petrova');
    await picture(zoe, '5-respond');

    await shows(nadia, 'Zoë van Dijk');
    await shows(nadia, 'INVITATION_ACCEPTED');
    await picture(nadia, '6-acceptance-arrives');
  });

  test('the subscription goes on after the server was restarted', async () => {
    const { folder, port } = server;
    await server.stop();
    await live(nadia, 'connecting');
    server = await Server.start({ folder, port });
    await live(nadia, 'on');
    await server.invite('bruno', 'nadia', 'After the restart');
    await shows(nadia, 'After the restart');
    await picture(nadia, '7-after-restart');
    // That the socket could not be opened while the server was away is no fault of the page.
    faults.splice(0, faults.length, ...faults.filter((fault) => !/websocket|ERR_CONNECTION_REFUSED/i.test(fault)));
  });

  test('who is connected already is not offered to invite, and it says so', async () => {
    await open('ada');
    const bruno = await open('bruno');
    await selectTab(bruno, 'Invite');
    await variablesSay(bruno, 'You and Ada Lindqvist are connected already.');
    await picture(bruno, '8-connected-already');
  });

  test('a message arrives in the other window', async () => {
    const chidi = await open('chidi');
    await selectTab(chidi, 'Messages');
    await runIt(chidi);
    await live(chidi, 'on');
    const dilara = await open('dilara');
    await selectTab(dilara, 'Write');
    await variablesSay(dilara, 'Chidi Okafor (@chidi)');
    await runIt(dilara);
    await shows(dilara, 'msg_');
    await shows(chidi, 'Dilara');
    await shows(chidi, 'Have you a minute?');
    await picture(chidi, '10-message-arrives');
  });

  test('GraphiQL without a sign-in takes a token', async () => {
    const plain = await context.newPage();
    await plain.goto(`${server.url}/graphiql`);
    await plain.locator('.graphiql-query-editor .view-lines').waitFor();
    assert.equal(await plain.locator('header.bar').count(), 0);
    await picture(plain, '9-plain');
  });
});
