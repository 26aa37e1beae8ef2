// Evaluates all identities with the engine of flagsmith-nodejs, alone in memory.
//
// evaluate.mjs ENVIRONMENT.json IDENTITIES.jsonl: says "ready" with a checksum over the first
// 1000 identities, then answers each line of its input with the seconds that all took.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

// Where node_modules lies is the caller's choice; the package exports the SDK only.
const engine = `${process.env.MODULES}/flagsmith-nodejs/build/esm/flagsmith-engine`;
const { getEvaluationResult } = await import(`${engine}/index.js`);
const { buildEnvironmentModel } = await import(`${engine}/environments/util.js`);
const { getEvaluationContext } = await import(`${engine}/evaluation/evaluationContext/mappers.js`);

const [environmentFile, identitiesFile] = process.argv.slice(2);
const environment = buildEnvironmentModel(JSON.parse(readFileSync(environmentFile, 'utf8')));
const context = getEvaluationContext(environment, undefined, undefined, true);
const identities = readFileSync(identitiesFile, 'utf8').trim().split('\n').map(line => JSON.parse(line));
for (const identity of identities) {
	identity.key = `${context.environment.key}_${identity.identifier}`;
}

function evaluate(identity) {
	return getEvaluationResult({ ...context, identity });
}

function checksum() {
	let enabled = 0, length = 0;
	for (const identity of identities.slice(0, 1000)) {
		for (const flag of Object.values(evaluate(identity).flags)) {
			enabled += flag.enabled ? 1 : 0;
			length += String(flag.value ?? '').length;
		}
	}
	return `${enabled} ${length}`;
}

function timed() {
	const start = process.hrtime.bigint();
	for (const identity of identities) {
		evaluate(identity);
	}
	return Number(process.hrtime.bigint() - start) / 1e9;
}

console.log(`ready ${checksum()}`);
for await (const _ of createInterface({ input: process.stdin })) {
	console.log(timed());
}
