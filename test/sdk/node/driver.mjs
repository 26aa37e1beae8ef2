// Drives the official JavaScript SDKs in Node: flagsmith-nodejs, the browser's @flagsmith/flagsmith, and the
// providers of OpenFeature. test/sdk/README.md says how the checks are told.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import assert from 'node:assert/strict';
import EventSource from 'eventsource';
import { Flagsmith } from 'flagsmith-nodejs';
import { flagsmithProvider, ofrep } from './openfeature.mjs';
import { CLIENT_KEY, SERVER_KEY, TRAITS, api, awaitCounts, awaitThat, change, counted, drive, identities, sleep, stored } from './stack.mjs';

const require = createRequire(import.meta.url);
const versionOf = name => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;

const node = (settings = {}) => new Flagsmith({ environmentKey: CLIENT_KEY, apiUrl: `${api.url}/api/v1/`, ...settings });
const flagsOf = flags => Object.fromEntries(flags.allFlags().map(f => [f.featureName, [f.enabled, f.value ?? null]]));

const nodejs = {
    name: 'Node flagsmith-nodejs',
    version: versionOf('flagsmith-nodejs'),
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
        await awaitCounts(before);
    },
    async wrong_key() {
        await assert.rejects(node({ environmentKey: 'no-such-key' }).getEnvironmentFlags());
    },
    async server_returns() {
        const sdk = node({ retries: 0, requestTimeoutSeconds: 5 });
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
    version: versionOf('@flagsmith/flagsmith'),
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
        await awaitCounts(before);
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
        await awaitThat(() => !sdk.hasFeature('stock_editor'), 'a change made while the stream was down');
    },
};

globalThis.EventSource = EventSource;
await drive([nodejs, browserjs, ofrep(versionOf('@openfeature/ofrep-provider')), flagsmithProvider(versionOf('@openfeature/flagsmith-provider'))]);
process.exit(0); // the SDKs' timers go on
