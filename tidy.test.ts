import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** The tree keeps the shape that ARCHITECTURE.md draws; each rule names the files that break it. */
const root = import.meta.dirname;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.js'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && !file.startsWith('node_modules/'))
  .filter((file) => ts.sys.fileExists(path.join(root, file)));

const sources = new Map(
  files.map((file) => [
    file,
    ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.ES2023, true),
  ]),
);

const isTest = (file: string): boolean => file.endsWith('.test.ts');
const folderOf = (file: string): string => file.split('/')[0] ?? file;

/** Files of ours that a file imports, types included; relative specifiers, as there are no others. */
function importsOf(file: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined;
    if (specifier !== undefined && ts.isStringLiteral(specifier) && specifier.text.startsWith('.')) {
      found.push(path.posix.join(path.posix.dirname(file), specifier.text));
    }
    // A program that is started as a process of its own is named by its address.
    if (ts.isNewExpression(node) && node.expression.getText() === 'URL') {
      const [first] = node.arguments ?? [];
      if (first !== undefined && ts.isStringLiteral(first) && first.text.endsWith('.ts')) {
        found.push(path.posix.join(path.posix.dirname(file), first.text));
      }
    }
    ts.forEachChild(node, visit);
  };
  const source = sources.get(file);
  if (source !== undefined) visit(source);
  return found;
}

/** Which top-level folders a folder may import from; its own is always allowed. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  config: [],
  domain: [],
  dialplan: [],
  controller: ['domain', 'dialplan'],
  'sms-gateway': ['domain'],
  'portal-api': ['domain'],
  'portal-web': [],
  deploy: ['config', 'domain', 'dialplan', 'controller', 'sms-gateway', 'portal-api'],
};

/** Only these may read the settings: the one place of each service that chooses its adapters. */
const readsSettings = /^(controller|sms-gateway|portal-api)\/(main|[a-z_]+\/main)\.ts$/u;

describe('the tree', () => {
  it('imports in the directions of the design only', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => !directionIsRight(file, target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('lets no type of ARI, AMI or SIP leave its adapter', () => {
    const wrong = files
      .filter(
        (file) =>
          file.startsWith('controller/') &&
          !file.startsWith('controller/switch/') &&
          file !== 'controller/controller.ts',
      )
      .flatMap((file) =>
        importsOf(file)
          .filter((target) => target.startsWith('controller/switch/asterisk/'))
          .map((target) => `${file} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  it('has no file that nothing uses', () => {
    const scripts = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const entries = Object.values(scripts.scripts).flatMap((script) =>
      script.split(' ').filter((word) => /\.[jt]s$/u.test(word)),
    );
    const used = new Set<string>();
    const walk = (file: string): void => {
      if (used.has(file)) return;
      used.add(file);
      importsOf(file).forEach(walk);
    };
    // bootstrap.js names the file that installs what tests need.
    [...entries, 'deploy/install.ts', 'vitest.config.ts', 'eslint.config.js', ...files.filter(isTest)].forEach(walk);
    walk('deploy/testing/global_setup.ts');
    // A process of its own that is found by its name, so that it is the same where services run compiled.
    walk('portal-api/documents/decoder/decoder_main.js');
    walk('portal-api/sign_in/password_hashing_thread.js');
    expect(files.filter((file) => !used.has(file) && !file.endsWith('.d.ts'))).toEqual([]);
  });

  it('has no function grown out of hand', () => {
    const long: string[] = [];
    for (const [file, source] of sources) {
      const visit = (node: ts.Node): void => {
        if (ts.isFunctionLike(node) && !isSuite(node)) {
          const lines = lineOf(source, node.end) - lineOf(source, node.getStart()) + 1;
          if (lines > 60) long.push(`${file}:${lineOf(source, node.getStart()) + 1} has ${lines} lines`);
        }
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
    expect(long).toEqual([]);
  });

  it('has no file grown out of hand, and no name that says nothing', () => {
    const long = [...sources]
      .filter(([file, source]) => lineOf(source, source.end) > (isTest(file) ? 600 : 400))
      .map(([file]) => file);
    const vague = files.filter((file) => /(^|\/)(utils?|common|helpers?|managers?|misc)(\/|\.|_)/u.test(file));
    expect([...long, ...vague]).toEqual([]);
  });
});

function directionIsRight(file: string, target: string): boolean {
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to || !file.includes('/')) return true;
  // A test on real servers borrows them from the deployment; a benchmark does too.
  if ((isTest(file) || file.includes('/bench/') || file.includes('/testing/')) && to === 'deploy') return true;
  // A test gives the settings that an environment would.
  const is_testing = isTest(file) || file.includes('/testing/');
  if (to === 'config') return from === 'deploy' || is_testing || readsSettings.test(file) || isTypeOnly(file, target);
  return allowed[from]?.includes(to) ?? false;
}

/** Whether every import of `target` in `file` is of types, which are gone before anything runs. */
function isTypeOnly(file: string, target: string): boolean {
  const declarations = sources.get(file)?.statements.filter(ts.isImportDeclaration) ?? [];
  return declarations
    .filter(
      (one) =>
        ts.isStringLiteral(one.moduleSpecifier) &&
        path.posix.join(path.posix.dirname(file), one.moduleSpecifier.text) === target,
    )
    .every((one) => one.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
}

function lineOf(source: ts.SourceFile, position: number): number {
  return source.getLineAndCharacterOfPosition(position).line;
}

/** The callback of a `describe`, or a function that holds one, is a list of tests, and its length says nothing. */
function isSuite(node: ts.Node): boolean {
  const isDescribe = (call: ts.Node): boolean =>
    ts.isCallExpression(call) && /^describe\b/u.test(call.expression.getText());
  if (isDescribe(node.parent)) return true;
  const body = ts.isFunctionDeclaration(node) ? node.body : undefined;
  return (
    body?.statements.some((statement) => ts.isExpressionStatement(statement) && isDescribe(statement.expression)) ??
    false
  );
}
