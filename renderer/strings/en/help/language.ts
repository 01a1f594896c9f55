/** Help on figures: Language. */
export const languageHelp = {
  'language.rate': {
    name: 'token rate',
    what: 'Tokens a second of this reply.',
    how: 'Tokens written, over the time since the first.',
    do: 'Raise the cache budget, or compress more.',
  },
  'language.acceptance': {
    name: 'acceptance',
    what: 'Share of drafted tokens that the full cache agreed with, in %.',
    how: 'Counted over the rounds of this reply.',
    do: 'Low acceptance wastes drafts: use a milder ratio or another compressor.',
  },
  'language.draftLength': {
    name: 'draft length',
    what: 'Tokens drafted before they are verified.',
    how: 'Chosen by the controller from acceptance and the cost of a swap.',
    do: 'It adapts by itself.',
  },
  'language.rounds': {
    name: 'rounds',
    what: 'Rounds of drafting and verifying.',
    how: 'Counted over this reply.',
    do: 'Fewer rounds for the same text are better: more was accepted in each.',
  },
  'language.draft': {
    name: 'draft share',
    what: 'Share of the time spent drafting on the compressed cache, in %.',
    how: 'Over all rounds of this reply.',
    do: 'A large share with high acceptance is how it should be.',
  },
  'language.swap': {
    name: 'swap share',
    what: 'Share of the time spent reading the full cache from disk, in %.',
    how: 'Over all rounds; reads that ran beside drafting are not counted.',
    do: 'Raise the cache budget, so that more of it stays in memory.',
  },
  'language.verify': {
    name: 'verify share',
    what: 'Share of the time spent verifying drafts on the full cache, in %.',
    how: 'Over all rounds of this reply.',
    do: 'A large share means short drafts: see acceptance.',
  },
  'language.roundsChart': {
    name: 'rounds',
    what: 'Each round’s draft, swap and verification on a time axis, with its acceptance.',
    how: 'As measured by the engine; arrow keys step through the rounds.',
    do: 'Gaps between rounds are swaps: see swap share.',
  },
  'language.cacheMap': {
    name: 'cache by layer',
    what: 'For each layer, how many tokens the compressed cache kept, and where those of the full one are.',
    how: 'Told by the engine as the conversation grows.',
    do: 'Layers with little in memory cost reads at each verification.',
  },
  'language.memory': {
    name: 'memory of the caches',
    what: 'Bytes that the caches of this conversation hold, against their budget.',
    how: 'Told by the engine as the conversation grows.',
    do: 'Raise the cache budget to read less from disk.',
  },
  'language.replies': {
    name: 'reply in figures',
    what: 'Tokens a second, tokens written, share of drafts accepted, rounds, draft length, tokens reused, time to read the prompt.',
    how: 'Measured by the engine, written when the reply ended.',
    do: 'Press it to see the reply’s rounds.',
  },
} as const;
