import type { EndpointHealth, EndpointTest, RemoteTier, TokenState } from '../../../core/contract';

const STATES: Readonly<Record<EndpointHealth['state'], string>> = {
  unknown: 'not asked yet',
  ready: 'ready',
  'not-ready': 'not ready',
  refused: 'token refused',
  unreachable: 'unreachable',
};
const TOKENS: Readonly<Record<TokenState, string>> = {
  none: 'none',
  keychain: 'in keychain',
  'until-restart': 'until restart',
  missing: 'missing',
};
const TOKEN_SENTENCES: Readonly<Record<TokenState, string>> = {
  none: 'No token is set: requests go out without one.',
  keychain: 'The token is kept by this system’s keychain, and the engine holds it while it runs.',
  'until-restart': 'The engine holds the token in memory; it is gone when the engine ends.',
  missing: 'A token was kept but can’t be read back. Enter it again.',
};
const STEPS: Readonly<Record<EndpointTest['steps'][number]['step'], string>> = {
  connect: 'Connect',
  ready: 'Ready',
  metadata: 'Metadata',
  models: 'Models',
  inference: 'Inference',
};
const TIERS: Readonly<Record<RemoteTier, string>> = { edge: 'edge', cloud: 'cloud' };

/** The Endpoints panel's words. */
export const endpoints = {
  title: 'Endpoints',
  waiting: 'Waiting for the engine…',
  loading: 'Asking the engine for its endpoints…',
  loadFailed: 'The list of endpoints did not arrive',
  emptyTitle: 'No endpoints yet',
  empty:
    'An endpoint is a server of the Open Inference Protocol that can answer in this device’s place: start one with “sluice serve --tier edge” on another machine, or use Triton, KServe or OpenVINO Model Server.',
  emptyAction: 'Add an endpoint',
  add: {
    form: 'Add an endpoint',
    name: 'Name',
    namePlaceholder: 'edge-7',
    tier: 'Tier',
    tierHint: 'Edge: near, on the local network. Cloud: far, over the internet.',
    url: 'URL',
    urlPlaceholder: 'http://edge-7:8000',
    urlHint: 'Address of the server, with the path before /v2 if there is one',
    token: 'Token',
    tokenPlaceholder: 'none',
    tokenHint: 'Bearer token the server asks for, if it does',
    submit: 'Add',
    failed: (name: string): string => `${name} was not added`,
    notKept: (name: string): string =>
      `The token of ${name} is not in the keychain: it is kept until the engine ends`,
    badUrl: 'An http:// or https:// address without user or password.',
  },
  keychain: {
    none: 'this system has no keychain',
    available: 'Tokens are kept by this system’s keychain.',
    unavailable: (reason: string): string =>
      `Tokens are kept until Sluice quits, not longer: ${reason.replace(/\.$/, '')}.`,
    browser: 'Tokens are kept in the engine’s memory until it ends: a browser has no keychain.',
  },
  tiers: TIERS,
  states: STATES,
  tokens: TOKENS,
  links: { regular: 'regular', weak: 'weak' },
  inUse: 'in use',
  standby: 'stands by',
  columns: {
    name: 'Name',
    tier: 'Tier',
    url: 'URL',
    health: 'Health',
    roundTrip: 'Round trip, ms',
    link: 'Link',
    queue: 'Queue',
    busy: 'Busy',
    offers: 'Offers',
    token: 'Token',
    use: 'Use',
  },
  hints: {
    roundTrip: 'Median of the last probes, there and back, without inference',
    link: 'Measured while inputs were sent; weak when they take long to get there',
    queue: 'Requests waiting there, of how many it takes before it refuses',
    busy: 'Share of its processors in use',
    offers: 'Variants of the deployment that it serves, of all of them',
    use: 'One endpoint a tier answers; others of the tier stand by for it',
  },
  offers: (own: number, all: number): string => `${own} of ${all}`,
  queueOf: (length: string, capacity: string): string => `${length}/${capacity}`,
  inspector: {
    close: 'Close the inspector',
    url: 'URL',
    server: 'Server',
    checked: 'Last asked',
    memory: 'Memory free',
    offers: 'Offers',
    breaker: 'Circuit',
    breakers: {
      closed: 'closed: requests go there',
      open: 'open: left alone after failures',
      'half-open': 'half open: one request tries it',
    },
    notReady: 'It is not ready',
    test: 'Test',
    testHint: 'Connects, asks for health and models, and runs one inference',
    testing: 'Testing…',
    testFailed: 'The test did not finish',
    testPassed: 'All steps passed',
    testStopped: (step: string): string => `It failed at: ${step}`,
    steps: STEPS,
    tokenTitle: 'Bearer token',
    tokenField: 'New token',
    setToken: 'Set token',
    replaceToken: 'Replace token',
    forgetToken: 'Forget token',
    forgetHint:
      'Removes the token from the engine and the keychain. It can’t be put back: you need to know it.',
    tokenSentences: TOKEN_SENTENCES,
    remove: 'Remove',
    removeHint: (name: string, url: string): string =>
      `Takes ${name} (${url}) and its token off the list. The server itself goes on. Can be undone.`,
  },
  faults: {
    token: (name: string): string => `The token of ${name} was not changed`,
    forget: (name: string): string => `The token of ${name} was not forgotten`,
    remove: (name: string): string => `${name} was not removed`,
    restore: (name: string): string => `${name} was not put back`,
    secretStays: (name: string): string => `The token of ${name} is still in the keychain`,
  },
  removed: {
    region: 'Removed endpoint',
    done: 'Removed',
    withToken: 'with its token',
    hint: 'can be put back until another is removed or the engine ends',
    undo: 'Undo',
    discard: 'Give it up',
  },
  commands: {
    keywords: { add: 'server edge cloud', test: 'probe health' },
    add: 'Add an endpoint',
    test: (name: string): string => `Test endpoint ${name}`,
  },
} as const;
