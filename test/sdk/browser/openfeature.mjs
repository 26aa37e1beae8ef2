// The providers of OpenFeature in the browser: of its remote evaluation protocol, and Flagsmith's own.

import assert from 'node:assert/strict';
import { CLIENT_KEY, TRAITS, api, awaitCounts, awaitThat, change, counted, identities, sleep, sql, stored } from './stack.mjs';

const price = page => page.evaluate(() => client.getNumberDetails('free_shipping_from', 7));
const isOn = (page, name) => page.evaluate(feature => client.getBooleanValue(feature, false), name);
const setContext = (page, context) => page.evaluate(c => OpenFeature.setContext(c), context);
// setContext returns before the providers have their answer
const awaitPrice = (page, value) => awaitThat(async () => (await price(page)).value === value, `a price of ${value}`);

const useOfrep = (page, context, key = CLIENT_KEY, options = {}) => page.evaluate(
    ([url, name, c, o]) => useOfrep({ baseUrl: url, headers: [['X-Environment-Key', name]], ...o }, c), [api.url, key, context, options]);

export const webOfrep = (inPage, version) => ({
    name: 'OFREP web provider (Chromium)',
    version,
    environment_flags: () => inPage(async page => {
        await useOfrep(page, { targetingKey: 'x' });
        assert.equal((await price(page)).value, 40);
    }),
    identity_traits: () => inPage(async page => {
        const expected = sql(`SELECT value #>> '{}' FROM flagsmith.get_identity_flags('${CLIENT_KEY}', 'web-ofrep', '${JSON.stringify(TRAITS)}') WHERE feature = 'checkout_button'`);
        await useOfrep(page, { targetingKey: 'web-ofrep' });
        assert.equal((await price(page)).value, 40);
        await setContext(page, { targetingKey: 'web-ofrep', ...TRAITS }); // asked with the validator of the answer before
        await awaitPrice(page, 0);
        assert.equal(await page.evaluate(() => client.getStringValue('checkout_button', '')), expected);
    }),
    transient_identity: 'OFREP stores nothing',
    transient_trait: 'OFREP stores nothing',
    trait_removed: 'OFREP stores nothing',
    anonymous: () => inPage(async page => {
        const before = identities();
        await useOfrep(page, { plan: 'pro' });
        assert.equal((await price(page)).value, 0);
        assert.equal(identities(), before);
    }),
    local_evaluation: 'the provider runs at the client',
    analytics_once: 'OFREP does not count',
    wrong_key: () => inPage(async page => {
        await assert.rejects(useOfrep(page, { targetingKey: 'x' }, 'no-such-key'));
        await awaitThat(() => page.refused, 'the refusal');
        assert.equal((await price(page)).value, 7);
    }),
    server_returns: () => inPage(async page => {
        await useOfrep(page, { targetingKey: 'x' });
        await api.stop();
        await setContext(page, { targetingKey: 'y', ...TRAITS });
        await sleep(500);
        assert.equal((await price(page)).value, 40); // the old values stay, without an error
        await api.start();
        await setContext(page, { targetingKey: 'z', ...TRAITS });
        await awaitPrice(page, 0);
    }),
    realtime: 'the provider polls',
});

const useFlagsmith = (page, context = {}, options = {}) => page.evaluate(([o, c]) => useFlagsmith(o, c),
    [{ environmentID: CLIENT_KEY, api: `${api.url}/api/v1/`, ...options }, context]);

export const clientProvider = (inPage, version) => ({
    name: 'OpenFeature flagsmith-client-provider (Chromium)',
    version,
    environment_flags: () => inPage(async page => {
        await useFlagsmith(page);
        assert.equal((await price(page)).value, 40);
        assert.equal(await page.evaluate(() => client.getNumberValue('fraud_score_limit', 7)), 7);
    }),
    identity_traits: () => inPage(async page => {
        await useFlagsmith(page, { targetingKey: 'of-web-traits', traits: TRAITS });
        assert.equal((await price(page)).value, 0);
        assert.deepEqual(stored('of-web-traits'), TRAITS);
    }),
    transient_identity: 'the SDK in it, 4.0.0, is older',
    transient_trait: 'the SDK in it, 4.0.0, is older',
    trait_removed: () => inPage(async page => {
        await useFlagsmith(page, { targetingKey: 'of-web-removed', traits: TRAITS });
        await setContext(page, { targetingKey: 'of-web-removed', traits: { plan: null } });
        assert(!('plan' in stored('of-web-removed')));
    }),
    anonymous: () => inPage(async page => {
        const before = identities();
        await useFlagsmith(page);
        assert.equal(await isOn(page, 'free_shipping_from'), true);
        assert.equal(identities(), before);
    }),
    local_evaluation: 'the provider runs at the client',
    analytics_once: () => inPage(async page => {
        const before = counted();
        await useFlagsmith(page, {}, { enableAnalytics: true });
        for (let i = 0; i < 7; i++) await isOn(page, 'photo_search');
        await awaitCounts(before);
    }),
    wrong_key: () => inPage(async page => {
        await assert.rejects(useFlagsmith(page, {}, { environmentID: 'no-such-key' }));
        await awaitThat(() => page.refused, 'the refusal');
    }),
    server_returns: () => inPage(async page => {
        await useFlagsmith(page);
        await api.stop();
        await setContext(page, { targetingKey: 'of-web-away' });
        await api.start();
        await setContext(page, { targetingKey: 'of-web-back', traits: TRAITS });
        await awaitPrice(page, 0);
    }),
    realtime: () => inPage(async page => {
        change(false);
        await useFlagsmith(page, {}, { realtime: true, eventSourceUrl: `${api.url}/` });
        assert(!await isOn(page, 'stock_editor'));
        await sleep(1500);
        change(true);
        await awaitThat(() => isOn(page, 'stock_editor'), 'a change');
        await api.stop();
        change(false);
        await api.start();
        await awaitThat(async () => !await isOn(page, 'stock_editor'), 'a change made while the stream was down');
    }),
});
