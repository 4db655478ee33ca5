import { serverStage } from './server_stage.ts';
import { peerOfServer, storm } from './mutation_storm.ts';

/** The mutation storm for as long as one likes: `soak.ts [pdus] [seed]`. */
const pdus = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);

const { server, port, faults } = await serverStage();
const begin_ms = Date.now();
const report = await storm(() => peerOfServer(port), pdus, seed);
await server.close();
process.stdout.write(`${JSON.stringify({ ...report, seed, faults: faults.length, took_ms: Date.now() - begin_ms })}\n`);
if (faults.length > 0) process.exitCode = 1;
