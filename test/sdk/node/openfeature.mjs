// The providers of OpenFeature in Node: of its remote evaluation protocol, and Flagsmith's own.

import assert from 'node:assert/strict';
import { FlagsmithOpenFeatureProvider } from '@openfeature/flagsmith-provider';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';
import { Flagsmith } from 'flagsmith-nodejs';
import { CLIENT_KEY, SERVER_KEY, TRAITS, api, awaitCounts, counted, identities, sql, stored } from './stack.mjs';

async function use(provider) {
    await OpenFeature.setProviderAndWait(provider);
    return OpenFeature.getClient();
}

const remote = (key = CLIENT_KEY) => use(new OFREPProvider({ baseUrl: api.url, headers: [['X-Environment-Key', key]] }));
const price = (client, context = { targetingKey: 'x' }) => client.getNumberDetails('free_shipping_from', 7, context);

async function serverReturns(client) {
    assert.equal((await price(client)).value, 40);
    await api.stop();
    assert((await price(client)).errorCode);
    await api.start();
    assert.equal((await price(client)).value, 40);
}

export const ofrep = version => ({
    name: 'OFREP provider (Node)',
    version,
    async environment_flags() {
        assert.equal((await price(await remote())).value, 40);
    },
    async identity_traits() {
        const client = await remote();
        const value = sql(`SELECT value #>> '{}' FROM flagsmith.get_identity_flags('${CLIENT_KEY}', 'ofrep-2', '${JSON.stringify(TRAITS)}') WHERE feature = 'courier_delivery'`);
        assert.equal(await client.getStringValue('courier_delivery', '', { targetingKey: 'ofrep-2', ...TRAITS }), value);
        assert.equal((await price(client, { targetingKey: 'ofrep-2', ...TRAITS })).value, 0);
    },
    transient_identity: 'OFREP stores nothing',
    transient_trait: 'OFREP stores nothing',
    trait_removed: 'OFREP stores nothing',
    async anonymous() {
        const before = identities();
        assert.equal((await price(await remote(), { plan: 'pro' })).value, 0);
        assert.equal(identities(), before);
    },
    local_evaluation: 'OFREP asks for each flag',
    analytics_once: 'OFREP does not count',
    async wrong_key() {
        const flag = await price(await remote('no-such-key'));
        assert.equal(flag.value, 7);
        assert(flag.errorCode);
    },
    async server_returns() {
        await serverReturns(await remote());
    },
    realtime: 'OFREP asks for each flag',
});

const own = (settings = {}) => use(new FlagsmithOpenFeatureProvider(
    new Flagsmith({ environmentKey: CLIENT_KEY, apiUrl: `${api.url}/api/v1/`, retries: 0, requestTimeoutSeconds: 5, ...settings })));

export const flagsmithProvider = version => ({
    name: 'OpenFeature flagsmith-provider (Node)',
    version,
    async environment_flags() {
        const client = await own();
        assert.equal((await price(client, {})).value, 40);
        assert.equal((await client.getNumberDetails('fraud_score_limit', 7, {})).value, 7);
        assert.equal((await (await own({ environmentKey: SERVER_KEY })).getNumberDetails('fraud_score_limit', 7, {})).value, 70);
    },
    async identity_traits() {
        const client = await own();
        assert.equal((await price(client, { targetingKey: 'of-traits', traits: TRAITS })).value, 0);
        assert.deepEqual(stored('of-traits'), TRAITS);
    },
    transient_identity: 'the provider does not pass it on',
    async transient_trait() {
        await price(await own(), { targetingKey: 'of-mixed', traits: { plan: 'pro', orders: { value: 3, transient: true } } });
        assert.deepEqual(stored('of-mixed'), { plan: 'pro' });
    },
    async trait_removed() {
        const client = await own();
        await price(client, { targetingKey: 'of-removed', traits: TRAITS });
        await price(client, { targetingKey: 'of-removed', traits: { plan: null } });
        assert(!('plan' in stored('of-removed')));
    },
    async anonymous() {
        const before = identities();
        assert.equal((await price(await own(), { traits: { plan: 'pro' } })).value, 40);
        assert.equal(identities(), before);
    },
    async local_evaluation() {
        const answers = [];
        for (const enableLocalEvaluation of [true, false]) {
            const client = await own({ environmentKey: SERVER_KEY, enableLocalEvaluation });
            const found = [];
            for (let n = 0; n < 1000; n++) {
                const context = { targetingKey: `of-local-${n}`, traits: { plan: n % 3 ? 'pro' : 'free', country: ['SE', 'NL', 'FI'][n % 3], orders: n } };
                found.push([await client.getBooleanValue('express_checkout', false, context), await client.getStringValue('checkout_button', '', context)]);
            }
            answers.push(found);
        }
        assert.deepEqual(answers[0], answers[1]);
        assert.equal(new Set(answers[0].flat()).size, 5); // both states, three values
    },
    async analytics_once() {
        const before = counted();
        const flagsmith = new Flagsmith({ environmentKey: CLIENT_KEY, apiUrl: `${api.url}/api/v1/`, enableAnalytics: true });
        const client = await use(new FlagsmithOpenFeatureProvider(flagsmith));
        for (let i = 0; i < 7; i++) await client.getBooleanValue('photo_search', false, {});
        await flagsmith.analyticsProcessor.flush();
        await awaitCounts(before);
    },
    async wrong_key() {
        await assert.rejects(own({ environmentKey: 'no-such-key' }));
    },
    async server_returns() {
        await serverReturns(await own());
    },
    realtime: 'the SDK in it polls',
});
