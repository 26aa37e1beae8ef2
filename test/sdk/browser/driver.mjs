// Drives the browser's SDKs in a real Chromium, in pages of another origin than the API instance, so that each
// request passes the browser's rules for that; test/sdk/README.md says how the checks are told.

import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import { build } from 'esbuild-wasm';
import { chromium } from 'playwright-core';
import { clientProvider, webOfrep } from './openfeature.mjs';
import { CLIENT_KEY, TRAITS, api, awaitCounts, awaitThat, change, counted, drive, identities, sleep, stored } from './stack.mjs';

const versionOf = name => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;

const bundle = await build({ entryPoints: ['page.js'], bundle: true, format: 'iife', write: false, logLevel: 'error' });
const script = bundle.outputFiles[0].text;
const origin = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><title>SDK</title><link rel=icon href=data:><script src=/page.js></script>');
});
await new Promise(resolve => origin.listen(0, '127.0.0.1', resolve));

const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

// Runs work with a new page, whose storage is its own; page.refused tells that the answer to a request, not to its
// preflight, was an error.
async function inPage(work) {
    const context = await browser.newContext();
    try {
        const page = await context.newPage();
        page.on('response', response => { page.refused ||= response.status() >= 400; });
        await page.goto(`http://127.0.0.1:${origin.address().port}/`);
        return await work(page);
    } finally {
        await context.close();
    }
}

const init = (page, settings = {}) => page.evaluate(all => flagsmith.init(all), { environmentID: CLIENT_KEY, api: `${api.url}/api/v1/`, ...settings });
const isOn = (page, name) => page.evaluate(feature => flagsmith.hasFeature(feature), name);

// The preflights that Chromium sends, which are no requests of the page's.
async function watchPreflights(page) {
    const session = await page.context().newCDPSession(page), seen = new Map();
    await session.send('Network.enable');
    session.on('Network.requestWillBeSent', ({ requestId, request }) => request.method === 'OPTIONS' && seen.set(requestId, { url: request.url }));
    session.on('Network.responseReceived', ({ requestId, response }) => seen.has(requestId) && (seen.get(requestId).status = response.status));
    return seen;
}

const browserjs = {
    name: 'JS @flagsmith/flagsmith (Chromium)',
    version: versionOf('@flagsmith/flagsmith'),
    environment_flags: () => inPage(async page => {
        const preflights = await watchPreflights(page);
        await init(page);
        assert.equal(await page.evaluate(() => flagsmith.getValue('free_shipping_from')), 40);
        assert(!('fraud_score_limit' in await page.evaluate(() => flagsmith.getAllFlags())));
        const [preflight] = [...preflights.values()];
        assert.equal(preflight?.url, `${api.url}/api/v1/flags/`);
        assert(preflight.status >= 200 && preflight.status < 300);
        // the SDK's answers are never the browser's stored ones
        change(true);
        await page.evaluate(() => flagsmith.getFlags());
        assert(await isOn(page, 'stock_editor'));
        change(false);
        await page.evaluate(() => flagsmith.getFlags());
        assert(!await isOn(page, 'stock_editor'));
    }),
    identity_traits: () => inPage(async page => {
        await init(page, { identity: 'web-traits', traits: TRAITS });
        assert.deepEqual(stored('web-traits'), TRAITS);
        assert.equal(await page.evaluate(() => flagsmith.getTrait('orders')), 73);
        assert.equal(await page.evaluate(() => flagsmith.getValue('free_shipping_from')), 0);
    }),
    transient_identity: () => inPage(async page => {
        await init(page);
        await page.evaluate(traits => flagsmith.identify('web-transient', traits, true), TRAITS);
        assert.equal(stored('web-transient'), null);
    }),
    transient_trait: () => inPage(async page => {
        const traits = { plan: { value: 'pro' }, orders: { value: 3, transient: true } };
        await init(page, { evaluationContext: { environment: { apiKey: CLIENT_KEY }, identity: { identifier: 'web-mixed', traits } } });
        assert.deepEqual(stored('web-mixed'), { plan: 'pro' });
    }),
    trait_removed: () => inPage(async page => {
        await init(page, { identity: 'web-removed', traits: TRAITS });
        await page.evaluate(() => flagsmith.setTrait('plan', null));
        assert(!('plan' in stored('web-removed')));
    }),
    anonymous: () => inPage(async page => {
        const before = identities();
        await init(page, { traits: { plan: 'pro' } });
        assert.equal(await page.evaluate(() => flagsmith.getValue('free_shipping_from')), 0);
        assert.equal(identities(), before);
    }),
    local_evaluation: 'the SDK runs at the client',
    analytics_once: () => inPage(async page => {
        const before = counted();
        await init(page, { enableAnalytics: true });
        for (let i = 0; i < 7; i++) await isOn(page, 'photo_search');
        await awaitCounts(before);
    }),
    wrong_key: () => inPage(async page => {
        await assert.rejects(init(page, { environmentID: 'no-such-key' }));
        await awaitThat(() => page.refused, 'the refusal');
    }),
    server_returns: () => inPage(async page => {
        await init(page);
        await api.stop();
        await assert.rejects(page.evaluate(() => flagsmith.getFlags()));
        await api.start();
        await page.evaluate(() => flagsmith.getFlags());
        assert.equal(await page.evaluate(() => flagsmith.getValue('free_shipping_from')), 40);
    }),
    realtime: () => inPage(async page => {
        change(false);
        await init(page, { realtime: true, eventSourceUrl: `${api.url}/` });
        assert(!await isOn(page, 'stock_editor'));
        await sleep(1500);
        change(true);
        await awaitThat(() => isOn(page, 'stock_editor'), 'a change');
        await api.stop();
        change(false);
        await api.start();
        await awaitThat(async () => !await isOn(page, 'stock_editor'), 'a change made while the stream was down');
    }),
};

try {
    await drive([browserjs, webOfrep(inPage, versionOf('@openfeature/ofrep-web-provider')),
        clientProvider(inPage, versionOf('@openfeature/flagsmith-client-provider'))]);
} finally {
    await browser.close();
}
process.exit(0);
