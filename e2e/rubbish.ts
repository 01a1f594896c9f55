/** What a renderer that was taken over may send, made in the page by a seed: one value after another. */
const RUBBISH = `
function makeRubbish(seed, most = 4294967295) {
  // mulberry32
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const pick = (list) => list[Math.floor(random() * list.length)];
  const times = (most, make) => Array.from({ length: Math.floor(random() * (most + 1)) }, make);
  const NAMES = ['name', '__proto__', 'constructor', 'toString', 'then', 'length', 'id', 'model', 'input', 'path', 'jobId', 'url'];
  const TEXTS = ['', '\\0', '\\ud800', '../../etc/passwd', 'a'.repeat(70000), '{}', '1e999', '\\u202egnp.exe', ...NAMES];
  const circle = () => { const made = {}; made.input = made; return made; };
  const monsters = [
    circle,
    () => { const list = []; list.push(list); return { settings: list }; },
    () => Array.from({ length: 900 }).reduce((inner) => [inner], 0),
    () => Array.from({ length: 40 }).reduce((inner) => [inner, inner], 0),
    () => { const holes = []; holes.length = most; return { runs: holes, tags: holes }; },
    () => ({ runs: new Array(200000).fill(7) }),
    () => Object.fromEntries(Array.from({ length: 5000 }, (_, index) => ['key' + index, index])),
    () => new Map([[circle(), 'j']]),
    () => new Set([NaN, 'jobId']),
    () => new Error('an error'),
    () => /x/g,
    () => new Date(NaN),
    () => JSON.parse('{"__proto__": {"jobId": "j"}, "constructor": {"prototype": 1}}'),
    () => new Blob(['x'.repeat(1000)]),
    () => new File(['x'], '../x.onnx'),
    () => new ImageData(4, 4),
    () => new DOMRect(1, 2, 3, 4),
    () => new DOMException('x', 'AbortError'),
    () => new Uint8Array(2 ** 20),
    () => new Float64Array(64).subarray(3, 9),
    () => new DataView(new ArrayBuffer(8), 2, 3),
    () => new BigInt64Array(4),
    () => 2n ** 4000n,
    () => Object(1n),
    () => Object('text'),
  ];
  const scalar = () =>
    pick([undefined, null, true, NaN, Infinity, -0, 2 ** 53, -1, 0.5, 1e308, 10n, random() * 1e6, pick(TEXTS), pick(TEXTS)]);
  const value = (depth) => {
    const kind = random();
    if (depth === 0 || kind < 0.3) return scalar();
    if (kind < 0.55) return pick(monsters)();
    if (kind < 0.7) return times(4, () => value(depth - 1));
    return Object.fromEntries(times(5, () => [pick([...NAMES, ...TEXTS]), value(depth - 1)]));
  };
  return { random, pick, next: () => value(3) };
}`;

/** Settles, with what it gave, within a time that no answer of ours takes. */
const SETTLED = `
function settled(promise) {
  return Promise.race([
    Promise.resolve(promise).then((value) => ['answered', value], (error) => ['threw', String(error)]),
    new Promise((done) => setTimeout(() => done(['hangs']), 10000)),
  ]);
}`;

export interface BridgeOutcome {
  /** Each is `{ok, ...}`, or was refused on the way, as what can't be copied is. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Requests that were not answered, or with another thing than a reply. */
  readonly wrong: readonly string[];
}

/** Calls every function of preload's surface with rubbish, many at once. @returns JavaScript that gives a `BridgeOutcome`. */
export function rubbishThroughBridge(seed: number, count: number): string {
  return `(async () => {
    ${RUBBISH} ${SETTLED}
    // Electron's bridge visits each place of an array, in the page itself: with more holes the page would hang by its own doing.
    const rubbish = makeRubbish(${seed}, 1000);
    const outcomes = {};
    const wrong = [];
    const names = Object.keys(window.sluice.request);
    const ask = async (name, args) => {
      let call;
      try { call = window.sluice.request[name](...args); } catch (error) { call = Promise.reject(error); }
      const [how, reply] = await settled(call);
      const isReply = how === 'answered' && typeof reply === 'object' && reply !== null && typeof reply.ok === 'boolean';
      const what = how !== 'answered' ? how : isReply ? (reply.ok ? 'ok' : reply.error.code) : 'no reply';
      outcomes[what] = (outcomes[what] ?? 0) + 1;
      if (what === 'hangs' || what === 'no reply' || what === 'internal') wrong.push(name + ': ' + what);
    };
    for (let done = 0; done < ${count}; done += 20) {
      await Promise.all(
        Array.from({ length: 20 }, () => ask(rubbish.pick(names), Array.from({ length: 1 + Math.floor(rubbish.random() * 2) }, rubbish.next))),
      );
    }
    // To throw at once is one of the right answers here; what must not happen is seen in the processes afterwards.
    for (const on of ['onEngineStatus', 'onFilesOpened', 'onUpdateState']) {
      for (const listener of [undefined, 5, 'text', {}, () => { throw new Error('a listener of a page'); }]) {
        try { window.sluice[on](listener); } catch {}
      }
    }
    for (let index = 0; index < 30; index += 1) {
      try { window.sluice.pathOfFile(rubbish.next()); } catch {}
    }
    return { outcomes, wrong };
  })()`;
}

export interface PortOutcome {
  readonly sent: number;
  /** Messages that could not be cloned. */
  readonly uncloned: number;
  readonly replies: Readonly<Record<string, number>>;
  /** Ids that were answered more often than asked. */
  readonly wrong: readonly number[];
  /** Of the last request, which was sound. */
  readonly last: { readonly ok: boolean; readonly value?: { readonly pid: number } };
}

/** Posts rubbish to the console's own port to the engine. @returns JavaScript that gives a `PortOutcome`. */
export function rubbishThroughPort(seed: number, count: number, requests: readonly string[]): string {
  return `(async () => {
    ${RUBBISH}
    const rubbish = makeRubbish(${seed});
    const requests = ${JSON.stringify(requests)};
    // The console takes it too, and goes on with ids below these.
    const FIRST_ID = 1e9;
    const LAST_ID = FIRST_ID - 0.5;
    const port = await new Promise((done) => {
      const take = (event) => {
        if (event.data?.type !== 'engine-port') return;
        window.removeEventListener('message', take);
        done(event.ports[0]);
      };
      window.addEventListener('message', take);
      void window.sluice.request['engine.connect']({});
    });
    const replies = {};
    const due = new Map();
    const wrong = [];
    let uncloned = 0;
    const ended = new Promise((done) => {
      port.addEventListener('message', ({ data }) => {
        if (data.id === LAST_ID) return done(data.reply);
        if (!(data.id >= FIRST_ID)) return;
        const left = due.get(data.id) ?? 0;
        if (left === 0) wrong.push(data.id);
        due.set(data.id, left - 1);
        const what = data.reply.ok ? 'ok' : data.reply.error.code;
        replies[what] = (replies[what] ?? 0) + 1;
      });
    });
    const post = (message, transfer) => {
      try {
        port.postMessage(message, transfer);
        if (typeof message?.id === 'number') due.set(message.id, (due.get(message.id) ?? 0) + 1);
      } catch { uncloned += 1; }
    };
    for (let index = 0; index < ${count}; index += 1) {
      const kind = rubbish.random();
      const id = FIRST_ID + index;
      const request = rubbish.pick(requests);
      if (kind < 0.3) post(rubbish.next());
      else if (kind < 0.35) { const { port1 } = new MessageChannel(); post({ id, request: port1 }, [port1]); }
      else if (kind < 0.4) post({ id: rubbish.next(), request, input: rubbish.next() });
      else if (kind < 0.5) post({ id, request, input: { name: rubbish.pick(['none', 'a/b', 'e'.repeat(90)]) } });
      else post({ id, request: kind < 0.55 ? rubbish.next() : request, input: rubbish.next() });
    }
    post({ id: LAST_ID, request: 'engine.info', input: {} });
    const last = await Promise.race([ended, new Promise((done) => setTimeout(() => done({ ok: false }), 15000))]);
    return { sent: ${count}, uncloned, replies, wrong, last };
  })()`;
}
