import type { IncomingMessage, ServerResponse } from 'node:http';

import { parseUrl } from '../../base';
import { SluiceError } from '../../contract';
import type { ErrorCode } from '../../contract';
import type { HostClock } from '../host-clock';
import type { Services } from '../services';
import type { Log } from '../state-file';
import type { AccessTokens } from './access-tokens';
import { readForm } from './form';
import { LOGIN_NOTES, LOGIN_POLICY, LOGIN_STYLE, loginPage, OPEN_FILES } from './login-page';
import type { OriginCheck } from './origin-check';
import type { RateLimits } from './rate-limits';
import { challenge, noToken, redirect, refusal, write } from './reply';
import type { Reply } from './reply';
import type { SessionGuard, TokenAnswer, Visitor } from './session-guard';
import type { Session, Sessions } from './sessions';
import { readStatic } from './static-files';
import { isFull, PushedUploads } from './pushed-upload';
import type { PushedState } from './pushed-upload';
import { receiveUpload } from './upload';

const MAX_UPLOAD_BYTES = 16 * 2 ** 30;
const MAX_UPLOADS_AT_ONCE = 8;
/** Half a year: long enough to count, short enough to take back. */
const STRICT_TRANSPORT = 'max-age=15768000';
const STATUS: Partial<Record<ErrorCode, number>> = { 'bad-input': 400, conflict: 409, overloaded: 429 };
/** RFC 4918, 11.5: insufficient storage. */
const DISK_IS_FULL = 507;

export interface AnswersOptions {
  readonly services: Services;
  readonly rendererDir: string;
  readonly tokens: AccessTokens;
  readonly sessions: Sessions;
  readonly guard: SessionGuard;
  readonly origins: OriginCheck;
  readonly limits: RateLimits;
  /** Whether an address may hold the token: it stays in histories and logs, so on loopback only. */
  readonly tokenInAddress: boolean;
  readonly strictTransport?: boolean;
  readonly maxUploadBytes?: number;
  readonly clock: HostClock;
  readonly log: Log;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly url: URL;
}

/** Answers everything but sockets. */
export class Answers {
  private readonly pushed: PushedUploads;

  constructor(private readonly options: AnswersOptions) {
    const { services, maxUploadBytes = MAX_UPLOAD_BYTES, clock } = options;
    this.pushed = new PushedUploads(services.info.dataDir, maxUploadBytes, () => clock.nowMs());
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { strictTransport = false, log } = this.options;
    if (strictTransport) response.setHeader('strict-transport-security', STRICT_TRANSPORT);
    try {
      write(request, response, await this.reply(request));
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      const { code, message } = error;
      // Without its query, which may hold a token.
      log(`${request.method ?? ''} ${(request.url ?? '').split('?')[0] ?? ''}: ${message}`);
      if (response.headersSent) response.destroy();
      else write(request, response, refusal(isFull(error) ? DISK_IS_FULL : (STATUS[code] ?? 500), message));
    }
  }

  private async reply(request: IncomingMessage): Promise<Reply> {
    const reason = this.options.origins.refusal(request);
    if (reason !== undefined) return refusal(403, reason);
    const url = parseUrl(request.url ?? '/', new URL('http://host'));
    if (url === undefined) return refusal(400, 'Expected a path.');
    const asked = { request, url };
    const visitor = await this.options.guard.visitor(request);
    if (visitor.kind === 'wait') return this.wait(asked, visitor.retryAfterSec);
    if (visitor.kind === 'wrong-token') return refusal(401, 'The token is wrong.');
    const { method = '' } = request;
    if (method === 'POST') return this.post(asked, visitor);
    if (method === 'GET' || method === 'HEAD') return this.get(asked, visitor);
    return refusal(405, 'Only GET, and POST to /upload, /login and /logout.');
  }

  private async get(asked: Asked, visitor: Visitor): Promise<Reply> {
    const { pathname, searchParams } = asked.url;
    const token = searchParams.get('token');
    const isEntry = pathname === '/' || pathname === '/index.html';
    if (pathname === '/login.css') return loginFile(200, 'text/css; charset=utf-8', LOGIN_STYLE);
    if (pathname === '/' && token !== null && this.options.tokenInAddress) {
      return this.tokenFromAddress(asked, token);
    }
    if (visitor.kind !== 'known' && (isEntry || pathname === '/login')) return this.login(asked, 401);
    if (pathname === '/login') return redirect({});
    if (visitor.kind !== 'known' && !OPEN_FILES.has(pathname)) return noToken();
    if (pathname === '/upload') return stateReply(await this.pushed.state(searchParams));
    const file = await readStatic(this.options.rendererDir, pathname);
    if (file !== undefined) return { status: 200, headers: { 'content-type': file.mime }, body: file.body };
    return refusal(404, `Not found.${isEntry ? ' The console is not built: run "npm run build".' : ''}`);
  }

  private async post(asked: Asked, visitor: Visitor): Promise<Reply> {
    const { request, url } = asked;
    // A program's token is proof by itself; a cookie or a form counts from our own page only.
    const isProgram = visitor.kind === 'known' && !visitor.session.expires;
    if (visitor.kind !== 'known' && request.headers.origin === undefined) return noToken();
    if (!isProgram && !this.options.origins.isOurPage(request)) {
      return refusal(403, 'Refused: only a page of this host may ask that.');
    }
    if (url.pathname === '/login') return this.tokenFromForm(asked);
    if (visitor.kind !== 'known') return noToken();
    if (url.pathname === '/logout') return this.logout(asked, visitor.session);
    if (url.pathname === '/upload') return this.upload(asked, visitor.session);
    return refusal(404, 'Not found.');
  }

  /** The token becomes a cookie, and the address a plain one that can be kept. */
  private async tokenFromAddress(asked: Asked, token: string): Promise<Reply> {
    const site = asked.request.headers['sec-fetch-site'];
    // A page of another site must neither log its visitor in nor use up the attempts.
    if (site !== undefined && site !== 'none' && site !== 'same-origin') return this.login(asked, 401);
    return this.enter(asked, await this.options.guard.token(asked.request, token));
  }

  private async tokenFromForm(asked: Asked): Promise<Reply> {
    const form = await readForm(asked.request, this.options.clock);
    return this.enter(asked, await this.options.guard.token(asked.request, (form.get('token') ?? '').trim()));
  }

  private enter(asked: Asked, answer: TokenAnswer): Reply {
    const { sessions, guard } = this.options;
    if (answer.kind === 'wait') return this.wait(asked, answer.retryAfterSec);
    if (answer.kind === 'wrong-token') return this.login(asked, 401, LOGIN_NOTES.wrong);
    return redirect({ 'set-cookie': guard.cookie(asked.request, sessions.start(answer.token)) });
  }

  private logout({ request }: Asked, session: Session): Reply {
    const { sessions, guard } = this.options;
    if (session.expires) sessions.end(session);
    return { status: 204, headers: { 'set-cookie': guard.noCookie(request) }, body: '' };
  }

  private async upload(asked: Asked, session: Session): Promise<Reply> {
    const { services, limits, maxUploadBytes = MAX_UPLOAD_BYTES } = this.options;
    const { request, url } = asked;
    const retryAfterSec = await limits.upload(session.name);
    if (retryAfterSec !== undefined) return refusal(429, 'Too many uploads.', retryAfterSec);
    const release = session.hold('upload', MAX_UPLOADS_AT_ONCE, () => request.destroy());
    try {
      const { searchParams } = url;
      if (searchParams.has('discard')) {
        await this.pushed.discard(searchParams);
        return { status: 204, headers: {}, body: '' };
      }
      if (searchParams.has('upload')) return stateReply(await this.pushed.receive(request, searchParams));
      const name = searchParams.get('name') ?? '';
      const path = await receiveUpload(request, name, services.info.dataDir, maxUploadBytes);
      return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ path }) };
    } finally {
      release();
    }
  }

  /** A person gets the page, a program the reason. */
  private login(asked: Asked, status: number, note?: string, retryAfterSec?: number): Reply {
    if (!(asked.request.headers.accept ?? '').includes('text/html')) {
      return note === undefined ? noToken() : refusal(status, note, retryAfterSec);
    }
    const said = note ?? (this.options.tokens.isEmpty() ? LOGIN_NOTES.none : undefined);
    return loginFile(status, 'text/html; charset=utf-8', loginPage(said), retryAfterSec);
  }

  private wait(asked: Asked, retryAfterSec: number): Reply {
    return this.login(asked, 429, LOGIN_NOTES.wait(retryAfterSec), retryAfterSec);
  }
}

function stateReply(state: PushedState): Reply {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(state) };
}

/** Forms tell their origin only where the page may refer to it. */
function loginFile(status: number, mime: string, body: string, retryAfterSec?: number): Reply {
  return {
    status,
    headers: {
      ...challenge(status),
      ...(retryAfterSec === undefined ? {} : { 'retry-after': String(retryAfterSec) }),
      'content-security-policy': LOGIN_POLICY,
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
      'content-type': mime,
    },
    body,
  };
}
