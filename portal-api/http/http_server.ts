import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import express from 'express';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import multer from 'multer';
import { documentPage } from './document_page.ts';
import { openapiDocument } from './openapi.ts';
import { Problem } from './problem.ts';
import type { ProblemName } from './problem.ts';
import type { Route, Upload } from './route.ts';
import { requestIdOf } from './serve_route.ts';
import type { RouteServing } from './serve_route.ts';

export interface HttpServerOptions {
  host: string;
  port: number;
  routes: readonly Route[];
  serving: RouteServing;
  /** How many proxies in front of us are ours, so that their word for an address counts. */
  proxies: number;
  version: string;
  /** How long requests that are under way may take at the end. */
  drain_ms: number;
  /** Within what time a request's headers, and all of it, have to be here. */
  headers_ms: number;
  request_ms: number;
}

const JSON_BYTES_MAX = 200_000;

/** The portal over HTTP. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: http.Server;
  #is_closing = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#server = http.createServer(
      {
        ...{ requestTimeout: options.request_ms, headersTimeout: options.headers_ms, maxHeaderSize: 16_384 },
        // Node looks only so often whether these are over.
        connectionsCheckingInterval: Math.min(1_000, options.headers_ms),
      },
      this.#assemble(),
    );
    this.#server.on('clientError', refuseUnreadable);
  }

  async listen(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no more requests; those under way are answered, streams are ended. */
  async close(): Promise<void> {
    this.#is_closing = true;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    const cut = setTimeout(() => this.#server.closeAllConnections(), this.#options.drain_ms);
    await closed;
    clearTimeout(cut);
  }

  #assemble(): express.Express {
    const { routes, serving, proxies, version } = this.#options;
    const app = express();
    app.disable('x-powered-by');
    app.set('etag', false);
    app.set('trust proxy', proxies);
    app.set('query parser', 'simple');
    app.set('case sensitive routing', true);
    const headers = securityHeaders();
    app.use((_request: Request, response: Response, next: NextFunction) => {
      const request_id = randomUUID();
      response.locals['request_id'] = request_id;
      response.setHeader('x-request-id', request_id);
      for (const [name, value] of headers) response.setHeader(name, value);
      // A connection that stays open after its answer would hold up the end.
      response.on('close', () => {
        if (this.#is_closing) this.#server.closeIdleConnections();
      });
      next();
    });
    const document = openapiDocument(routes, version);
    const text = JSON.stringify(document);
    app.get('/openapi.json', (_request, response) => response.type('application/json').send(text));
    app.get('/docs', (_request, response) => {
      response.setHeader('content-security-policy', PAGE_POLICY).type('html').send(documentPage(document));
    });
    app.use(dispatch(routes, serving));
    app.use((_request: Request, _response: Response, next: NextFunction) => next(new Problem('not_found')));
    // Express tells an error handler by its four parameters.
    app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
      if (response.headersSent) next(error);
      else serving.refuse(response, error, requestIdOf(response));
    });
    return app;
  }
}

/** What an answer to a program may do in a browser that is made to open it: nothing. */
const ANSWER_POLICY = "default-src 'none'; frame-ancestors 'none'";
/** The page has its style inside, and nothing else. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Helmet's headers are the same for every answer, so they are made once. */
function securityHeaders(): [string, string][] {
  const request = new http.IncomingMessage(new Socket());
  const response = new http.ServerResponse(request);
  helmet({ contentSecurityPolicy: false })(request, response, () => undefined);
  const made = Object.entries(response.getHeaders()).map(([name, value]): [string, string] => [name, String(value)]);
  return [...made, ['content-security-policy', ANSWER_POLICY]];
}

/**
 * A router for each `/v1/<noun>`, looked up: Express asks one route after the other whether it is meant, and there are hundreds. Paths are
 * matched as Express does it, within a router.
 */
function dispatch(routes: readonly Route[], serving: RouteServing): express.RequestHandler {
  const nouns = new Map<string, Route[]>();
  for (const route of routes) {
    const noun = nounOf(route.shape.path);
    nouns.set(noun, [...(nouns.get(noun) ?? []), route]);
  }
  const routers = new Map([...nouns].map(([noun, of_noun]) => [noun, routerOf(of_noun, serving)] as const));
  return (request, response, next) => {
    const router = routers.get(nounOf(request.path));
    if (router === undefined) next();
    else router(request, response, next);
  };
}

/** `/v1/calls` of `/v1/calls/{call_id}`. */
const nounOf = (path: string): string => path.split('/', 3).join('/');

function routerOf(routes: readonly Route[], serving: RouteServing): express.Router {
  const router = express.Router({ caseSensitive: true });
  for (const route of routes) mount(router, route, serving);
  refuseOtherMethods(router, routes);
  return router;
}

function mount(app: express.Router, route: Route, serving: RouteServing): void {
  const { method, path, upload, raw, body } = route.shape;
  const readers: express.RequestHandler[] = [];
  if (raw === true) readers.push(express.raw({ type: () => true, limit: JSON_BYTES_MAX }));
  else if (upload !== undefined) readers.push(fileReader(upload.bytes_max));
  else if (body !== undefined) readers.push(requireJson, readJson);
  const admit = async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    if (await serving.admit(route, request, response)) next();
  };
  app[method](expressPath(path), admit, ...readers, (request: Request, response: Response) =>
    serving.serve(route, request, response, fileOf(request)),
  );
}

/** `{id}` of OpenAPI is `:id` of Express. */
const expressPath = (path: string): string => path.replaceAll(/\{([a-z_]+)\}/gu, ':$1');

/** Bytes that are no UTF-8 would be read as signs that nobody wrote. */
const readJson = express.json({
  limit: JSON_BYTES_MAX,
  strict: false,
  verify: (_request, _response, bytes, encoding) => {
    if (encoding !== 'utf-8' || !isUtf8(bytes)) throw new Error('JSON is UTF-8 here.');
  },
});

/** A body of another type would be left unread and be missed as a missing one. */
function requireJson(request: Request, _response: Response, next: NextFunction): void {
  const has_body = request.headers['content-length'] !== '0' && request.headers['content-length'] !== undefined;
  const is_chunked = request.headers['transfer-encoding'] !== undefined;
  if ((has_body || is_chunked) && request.is('application/json') === false) {
    next(new Problem('unsupported', 'Bodies are application/json here.'));
  } else next();
}

function fileReader(bytes_max: number): express.RequestHandler {
  const read = multer({
    storage: multer.memoryStorage(),
    limits: { fileSize: bytes_max, files: 1, fields: 20, fieldSize: 10_000, parts: 30, headerPairs: 50 },
  }).single('file');
  return (request, response, next) => {
    if (request.is('multipart/form-data') === false) {
      next(new Problem('unsupported', 'Files are sent as multipart/form-data, in a field named file.'));
      return;
    }
    read(request, response, (error: unknown) => {
      if (error === undefined || error === null) next();
      else if (error instanceof multer.MulterError && error.code === 'LIMIT_FILE_SIZE') {
        next(new Problem('too_large', `A file has at most ${bytes_max} bytes here.`));
      } else next(new Problem('malformed', 'The form cannot be read.'));
    });
  };
}

function fileOf(request: Request): Upload | undefined {
  const { file } = request;
  return file === undefined ? undefined : { bytes: file.buffer, name: file.originalname.slice(0, 200) };
}

/** What a path knows by another method is told so, and not as missing. */
function refuseOtherMethods(app: express.Router, routes: readonly Route[]): void {
  const methods = new Map<string, string[]>();
  for (const { shape } of routes) {
    methods.set(shape.path, [...(methods.get(shape.path) ?? []), shape.method.toUpperCase()]);
  }
  for (const [path, allowed] of methods) {
    app.all(expressPath(path), (_request: Request, response: Response, next: NextFunction) => {
      response.setHeader('allow', allowed.join(', '));
      next(new Problem('method_not_allowed', `Here it is ${allowed.join(' or ')}.`));
    });
  }
}

const UNREADABLE: Readonly<Record<string, readonly [string, ProblemName]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'too_large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'malformed'],
};

/** What is no HTTP, or never ends, is refused without a request that anything above could answer. */
function refuseUnreadable(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, name] = UNREADABLE[error.code ?? ''] ?? ['400 Bad Request', 'malformed'];
  const body = JSON.stringify({ ...new Problem(name).body(randomUUID()), status: Number(status.slice(0, 3)) });
  const lines = [
    ...[`HTTP/1.1 ${status}`, 'Connection: close', 'Content-Type: application/problem+json'],
    ...["Content-Security-Policy: default-src 'none'", 'X-Content-Type-Options: nosniff'],
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
