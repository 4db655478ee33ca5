import type { OpenapiDocument } from './openapi.ts';

interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  responses?: Record<string, { description?: string }>;
  requestBody?: { content?: Record<string, { schema?: unknown }> };
  parameters?: { name?: string; in?: string; required?: boolean; schema?: unknown }[];
}

/** The document as a page that a person reads: no script, nothing from elsewhere. */
export function documentPage(document: OpenapiDocument): string {
  const groups = new Map<string, string[]>();
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(item as Record<string, Operation>)) {
      const tag = operation.tags?.[0] ?? 'other';
      groups.set(tag, [...(groups.get(tag) ?? []), operationHtml(method, path, operation)]);
    }
  }
  const body = [...groups].map(([tag, parts]) => `<h2>${escape(tag)}</h2>${parts.join('')}`).join('');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Letsdial API</title>
<meta name="viewport" content="width=device-width"><style>${STYLE}</style>
<h1>Letsdial API</h1><p>${escape(document.info.description ?? '')} The same for programs: <a href="/openapi.json">openapi.json</a>.</p>${body}</html>`;
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
details{border:1px solid #d6dae0;border-radius:6px;margin:.5rem 0;padding:.5rem 1rem}summary{cursor:pointer}
code{font-family:ui-monospace,monospace}pre{background:#f4f6f8;padding:.75rem;overflow:auto;border-radius:4px}td{padding:.15rem .75rem .15rem 0;vertical-align:top}`;

function operationHtml(method: string, path: string, operation: Operation): string {
  const parameters = (operation.parameters ?? [])
    .map((one) => `<tr><td><code>${escape(one.name ?? '')}</code><td>${escape(one.in ?? '')}<td>${json(one.schema)}`)
    .join('');
  const bodies = Object.entries(operation.requestBody?.content ?? {})
    .map(([type, { schema }]) => `<p>Takes <code>${escape(type)}</code></p><pre>${json(schema)}</pre>`)
    .join('');
  const answers = Object.entries(operation.responses ?? {})
    .map(([status, { description }]) => `<tr><td>${escape(status)}<td>${escape(description ?? '')}`)
    .join('');
  return `<details id="${escape(operation.operationId ?? '')}"><summary><code>${escape(method.toUpperCase())} ${escape(path)}</code> — ${escape(operation.summary ?? '')}</summary>
<table>${parameters}</table>${bodies}<table>${answers}</table></details>`;
}

const json = (value: unknown): string => escape(value === undefined ? '' : JSON.stringify(value, null, 1));

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
