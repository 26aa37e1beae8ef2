// What the drivers in JavaScript share: an API instance that can go away and come back, the database asked
// with psql, and the lines that tell of each check.

import { execFileSync, spawn } from 'node:child_process';

export const { CLIENT_KEY, SERVER_KEY } = process.env;
export const TRAITS = { plan: 'pro', orders: 73, rating: 4.5, newsletter: true };
export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

export const api = {
    port: '0',
    async start() {
        const { API_PROGRAM, API_DATABASE } = process.env;
        this.process = spawn(API_PROGRAM, ['--port', this.port, '--database', API_DATABASE], { stdio: ['ignore', 'ignore', 'pipe'] });
        await new Promise(resolve => this.process.stderr.on('data', text => {
            const found = /"event":"listening","port":(\d+)/.exec(text);
            if (found) { this.port = found[1]; resolve(); }
        }));
        this.url = `http://127.0.0.1:${this.port}`;
    },
    get isAway() {
        return this.process?.exitCode !== null || this.process.signalCode !== null;
    },
    async stop() {
        if (this.isAway) return;
        const gone = new Promise(resolve => this.process.on('exit', resolve));
        this.process.kill('SIGTERM');
        await gone;
    },
};

export const sql = query => execFileSync('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', query], { encoding: 'utf8' }).trim();
export const stored = id => JSON.parse(sql(`SELECT coalesce((SELECT traits FROM flagsmith.identity WHERE identifier = '${id}'), 'null')`));
export const identities = () => Number(sql('SELECT count(*) FROM flagsmith.identity'));
export const counted = () => Number(sql("SELECT coalesce(sum(count), 0) FROM flagsmith.feature_evaluation e JOIN flagsmith.feature f ON f.id = e.feature_id WHERE name = 'photo_search'"));
export const change = enabled => sql(`UPDATE flagsmith.feature_state s SET enabled = ${enabled} FROM flagsmith.feature f WHERE f.id = s.feature_id AND name = 'stock_editor'`);

export async function awaitThat(condition, what, ms = 25000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(100))
        if (await condition()) return;
    throw new Error(`not seen: ${what}`);
}

// Waits for seven more counts than before, and that there are no more.
export async function awaitCounts(before) {
    await awaitThat(() => counted() >= before + 7, 'the counts');
    await sleep(1000);
    if (counted() !== before + 7) throw new Error(`counted ${counted() - before} times, not 7`);
}

// Runs the checks of each SDK; one that is a text is the reason why the SDK has no such check.
export async function drive(sdks) {
    for (const { name, version, ...checks } of sdks)
        for (const [check, work] of Object.entries(checks)) {
            let result = 'ok', note = '';
            if (api.isAway) await api.start();
            if (typeof work === 'string') [result, note] = ['none', work];
            else
                try { await work(); } catch (error) { [result, note] = ['failed', `${error}`.slice(0, 300)]; }
            console.log(JSON.stringify({ sdk: name, version, check, result, note }));
        }
    await api.stop();
}
