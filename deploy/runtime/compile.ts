import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Beside the packages, where the file that is written finds them, and where nothing is kept that cannot be made again. */
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/letsdial/', import.meta.url));
/** The oldest Node that package.json allows. */
const TARGET = 'node20';
/**
 * The young generation is by default so small that a text outlives it while it waits for the database, and is moved twice.
 * Stacks name the lines of the sources.
 */
const NODE_OPTIONS = ['--enable-source-maps', '--max-semi-space-size=32'];

const compiled = new Map<string, Promise<string>>();

/**
 * Arguments for Node to run that TypeScript file as a service. It is compiled into one file first: a loader that does so at the
 * start takes a second of CPU for it, and names each function as it is made, which costs a text a tenth of its time.
 * @throws the compiler's error, which names file and line.
 */
export async function compile(main_file: string): Promise<readonly string[]> {
  const known = compiled.get(main_file) ?? write(main_file);
  compiled.set(main_file, known);
  return [...NODE_OPTIONS, await known];
}

async function write(main_file: string): Promise<string> {
  const name = basename(dirname(main_file));
  // Several processes may compile the same at once, and what one of them runs must stay whole.
  const outfile = join(FOLDER, `${name}-${randomUUID()}.mjs`);
  await build({
    entryPoints: [main_file],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    // An object spread into another one as it is written costs dozens of times what the same fields cost one by one, which this makes of it.
    minifySyntax: true,
    target: TARGET,
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'silent',
  });
  const kept = join(FOLDER, `${name}.mjs`);
  await rename(outfile, kept);
  return kept;
}
