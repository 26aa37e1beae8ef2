// Drives the official JavaScript SDKs: flagsmith-nodejs, the browser's @flagsmith/flagsmith in Node, and
// the OFREP provider of OpenFeature. test/sdk/README.md says how the checks are told.

import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import assert from 'node:assert/strict';
import EventSource from 'eventsource';
import { Flagsmith } from 'flagsmith-nodejs';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';

const require = createRequire(import.meta.url);
const { CLIENT_KEY, SERVER_KEY, API_PROGRAM, API_DATABASE } = process.env;
const TRAITS = { plan: 'pro', orders: 73, rating: 4.5, newsletter: true };
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

// An API instance of this driver's own, which can go away and come back at the same port.
const api = {
    port: '0',
    async start() {
        this.process = spawn(API_PROGRAM, ['--port', this.port, '--database', API_DATABASE], { stdio: ['ignore', 'ignore', 'pipe'] });
        await new Promise(resolve => this.process.stderr.on('data', text => {
            const found = /"event":"listening","port":(\d+)/.exec(text);
            if (found) { this.port = found[1]; resolve(); }
        }));
        this.url = `http://127.0.0.1:${this.port}`;
    },
    async stop() {
        const gone = new Promise(resolve => this.process.on('exit', resolve));
        this.process.kill('SIGTERM');
        await gone;
    },
};

const sql = query => execFileSync('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', query], { encoding: 'utf8' }).trim();
const stored = id => JSON.parse(sql(`SELECT coalesce((SELECT traits FROM flagsmith.identity WHERE identifier = '${id}'), 'null')`));
const identities = () => Number(sql('SELECT count(*) FROM flagsmith.identity'));
const counted = () => Number(sql("SELECT coalesce(sum(count), 0) FROM flagsmith.feature_evaluation e JOIN flagsmith.feature f ON f.id = e.feature_id WHERE name = 'photo_search'"));
const change = enabled => sql(`UPDATE flagsmith.feature_state s SET enabled = ${enabled} FROM flagsmith.feature f WHERE f.id = s.feature_id AND name = 'stock_editor'`);

async function awaitThat(condition, what, ms = 15000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(100))
        if (await condition()) return;
    throw new Error(`not seen: ${what}`);
}

const node = (settings = {}) => new Flagsmith({ environmentKey: CLIENT_KEY, apiUrl: `${api.url}/api/v1/`, ...settings });
const flagsOf = flags => Object.fromEntries(flags.allFlags().map(f => [f.featureName, [f.enabled, f.value ?? null]]));

const nodejs = {
    name: 'Node flagsmith-nodejs',
    package: 'flagsmith-nodejs',
    async environment_flags() {
        const flags = flagsOf(await node().getEnvironmentFlags());
        assert.deepEqual(flags.free_shipping_from, [true, 40]);
        assert(!('fraud_score_limit' in flags));
        assert('fraud_score_limit' in flagsOf(await node({ environmentKey: SERVER_KEY }).getEnvironmentFlags()));
    },
    async identity_traits() {
        await node().getIdentityFlags('node-traits', TRAITS);
        assert.deepEqual(stored('node-traits'), TRAITS);
    },
    async transient_identity() {
        await node().getIdentityFlags('node-transient', TRAITS, true);
        assert.equal(stored('node-transient'), null);
    },
    async transient_trait() {
        await node().getIdentityFlags('node-mixed', { plan: 'pro', orders: { value: 3, transient: true } });
        assert.deepEqual(stored('node-mixed'), { plan: 'pro' });
    },
    async trait_removed() {
        await node().getIdentityFlags('node-removed', TRAITS);
        await node().getIdentityFlags('node-removed', { plan: null });
        assert(!('plan' in stored('node-removed')));
    },
    async anonymous() {
        const before = identities();
        assert((await node().getIdentityFlags('anonymous', { plan: 'pro' }, true)).allFlags().length);
        assert.equal(identities(), before);
    },
    async local_evaluation() {
        const local = node({ environmentKey: SERVER_KEY, enableLocalEvaluation: true });
        const remote = node({ environmentKey: SERVER_KEY });
        for (let n = 0; n < 1000; n++) {
            const traits = { plan: n % 3 ? 'pro' : 'free', country: ['SE', 'NL', 'FI'][n % 3], orders: n, beta: n % 2 === 0 };
            const a = flagsOf(await local.getIdentityFlags(`node-local-${n}`, traits));
            assert.deepEqual(a, flagsOf(await remote.getIdentityFlags(`node-local-${n}`, traits, true)), `identity ${n}`);
        }
        await local.close();
    },
    async analytics_once() {
        const before = counted();
        const counting = node({ enableAnalytics: true });
        const flags = await counting.getEnvironmentFlags();
        for (let i = 0; i < 7; i++) flags.isFeatureEnabled('photo_search');
        await counting.analyticsProcessor.flush();
        await awaitThat(() => counted() >= before + 7, 'the counts');
        await sleep(1000);
        assert.equal(counted(), before + 7);
    },
    async wrong_key() {
        await assert.rejects(node({ environmentKey: 'no-such-key' }).getEnvironmentFlags());
    },
    async server_returns() {
        const sdk = node({ retries: 0, requestTimeoutSeconds: 2 });
        await sdk.getEnvironmentFlags();
        await api.stop();
        await assert.rejects(sdk.getEnvironmentFlags());
        await api.start();
        assert.deepEqual(flagsOf(await sdk.getEnvironmentFlags()).free_shipping_from, [true, 40]);
    },
    realtime: 'the SDK polls',
};

const createFlagsmith = () => require('@flagsmith/flagsmith').createFlagsmithInstance();

async function browser(settings = {}) {
    const sdk = createFlagsmith();
    await sdk.init({ environmentID: CLIENT_KEY, api: `${api.url}/api/v1/`, fetch, AsyncStorage: undefined, cacheFlags: false, ...settings });
    return sdk;
}

const browserjs = {
    name: 'JS @flagsmith/flagsmith (in Node)',
    package: '@flagsmith/flagsmith',
    async environment_flags() {
        const sdk = await browser();
        assert(sdk.hasFeature('free_shipping_from'));
        assert.equal(sdk.getValue('free_shipping_from'), 40);
        assert(!('fraud_score_limit' in sdk.getAllFlags()));
    },
    async identity_traits() {
        const sdk = await browser({ identity: 'js-traits', traits: TRAITS });
        assert.deepEqual(stored('js-traits'), TRAITS);
        assert.equal(sdk.getTrait('orders'), 73);
    },
    async transient_identity() {
        const sdk = await browser();
        await sdk.identify('js-transient', TRAITS, true);
        assert.equal(stored('js-transient'), null);
    },
    async transient_trait() {
        const traits = { plan: { value: 'pro' }, orders: { value: 3, transient: true } };
        await browser({ evaluationContext: { environment: { apiKey: CLIENT_KEY }, identity: { identifier: 'js-mixed', traits } } });
        assert.deepEqual(stored('js-mixed'), { plan: 'pro' });
    },
    async trait_removed() {
        const sdk = await browser({ identity: 'js-removed', traits: TRAITS });
        await sdk.setTrait('plan', null);
        assert(!('plan' in stored('js-removed')));
    },
    async anonymous() {
        const before = identities();
        const sdk = await browser({ traits: { plan: 'pro' } });
        assert(sdk.hasFeature('free_shipping_from'));
        assert.equal(identities(), before);
    },
    local_evaluation: 'the SDK runs at the client',
    async analytics_once() {
        const before = counted();
        // the SDK counts only where it has a window and a storage, and sends every ten seconds
        const items = new Map();
        const AsyncStorage = {
            getItem: async (key, done) => { done?.(null, items.get(key) ?? null); return items.get(key) ?? null; },
            setItem: async (key, value) => { items.set(key, value); },
            removeItem: async key => { items.delete(key); },
        };
        globalThis.window = globalThis;
        const sdk = await browser({ enableAnalytics: true, AsyncStorage });
        delete globalThis.window;
        await sleep(100);
        for (let i = 0; i < 7; i++) sdk.hasFeature('photo_search');
        await awaitThat(() => counted() >= before + 7, 'the counts');
        await sleep(1000);
        assert.equal(counted(), before + 7);
    },
    async wrong_key() {
        await assert.rejects(browser({ environmentID: 'no-such-key' }));
    },
    async server_returns() {
        const sdk = await browser();
        await api.stop();
        await assert.rejects(sdk.getFlags());
        await api.start();
        await sdk.getFlags();
        assert.equal(sdk.getValue('free_shipping_from'), 40);
    },
    async realtime() {
        change(false);
        globalThis.window = globalThis; // it listens in browsers only
        const sdk = await browser({ realtime: true, eventSourceUrl: `${api.url}/` });
        delete globalThis.window;
        await awaitThat(() => !sdk.hasFeature('stock_editor'), 'the flag as it was');
        await sleep(1500);
        change(true);
        await awaitThat(() => sdk.hasFeature('stock_editor'), 'a change');
        await api.stop();
        change(false);
        await api.start();
        await awaitThat(() => !sdk.hasFeature('stock_editor'), 'a change made while the stream was down', 20000);
    },
};

async function openFeature(key = CLIENT_KEY) {
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: api.url, headers: [['X-Environment-Key', key]] }));
    return OpenFeature.getClient();
}

const ofrep = {
    name: 'OFREP provider (Node)',
    package: '@openfeature/ofrep-provider',
    async environment_flags() {
        const flag = await (await openFeature()).getNumberDetails('free_shipping_from', 0, { targetingKey: 'ofrep-1' });
        assert.equal(flag.value, 40);
    },
    async identity_traits() {
        const client = await openFeature();
        const enabled = sql(`SELECT value #>> '{}' FROM flagsmith.get_identity_flags('${CLIENT_KEY}', 'ofrep-2', '${JSON.stringify(TRAITS)}') WHERE feature = 'courier_delivery'`);
        assert.equal(await client.getStringValue('courier_delivery', '', { targetingKey: 'ofrep-2', ...TRAITS }), enabled);
    },
    transient_identity: 'OFREP stores nothing',
    transient_trait: 'OFREP stores nothing',
    trait_removed: 'OFREP stores nothing',
    anonymous: 'OFREP wants a targeting key',
    local_evaluation: 'OFREP asks for each flag',
    analytics_once: 'OFREP does not count',
    async wrong_key() {
        const flag = await (await openFeature('no-such-key')).getNumberDetails('free_shipping_from', 7, { targetingKey: 'x' });
        assert.equal(flag.value, 7);
        assert(flag.errorCode);
    },
    async server_returns() {
        const client = await openFeature();
        await api.stop();
        assert((await client.getNumberDetails('free_shipping_from', 7, { targetingKey: 'x' })).errorCode);
        await api.start();
        assert.equal(await client.getNumberValue('free_shipping_from', 7, { targetingKey: 'x' }), 40);
    },
    realtime: 'OFREP asks for each flag',
};

globalThis.EventSource = EventSource;
await api.start();
for (const { name, package: packageName, ...checks } of [nodejs, browserjs, ofrep]) {
    const version = JSON.parse(readFileSync(new URL(`node_modules/${packageName}/package.json`, import.meta.url))).version;
    for (const [check, work] of Object.entries(checks)) {
        let result = 'ok', note = '';
        if (typeof work === 'string') [result, note] = ['none', work];
        else
            try { await work(); } catch (error) { [result, note] = ['failed', `${error}`.slice(0, 300)]; }
        console.log(JSON.stringify({ sdk: name, version, check, result, note }));
    }
}
await api.stop();
process.exit(0);
