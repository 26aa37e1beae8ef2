// What the driver's pages run: the SDKs as an application's bundler packs them, and the providers of OpenFeature
// over them. The driver calls what hangs off window.

import flagsmith from '@flagsmith/flagsmith';
import { FlagsmithClientProvider } from '@openfeature/flagsmith-client-provider';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature } from '@openfeature/web-sdk';

async function use(provider, context) {
    window.client = OpenFeature.getClient();
    await OpenFeature.setProviderAndWait(provider, context);
}

Object.assign(window, {
    flagsmith,
    OpenFeature,
    useOfrep: (options, context) => use(new OFREPWebProvider(options), context),
    useFlagsmith: (options, context) => use(new FlagsmithClientProvider(options), context),
});
