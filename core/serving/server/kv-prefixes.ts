/** All that the bits of a cache depend on besides its text, by name; a client's must be the same. */
export type KvIdentity = Readonly<Record<string, string>>;

/** The beginning of a text whose keys and values are kept here, in blocks of 128 tokens. */
export interface KvPrefix {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** First blocks that are those of the text asked for. */
  readonly blocks: number;
  readonly identity: KvIdentity;
}

export interface KvPrefillRequest {
  readonly model: string;
  /** Of the client's own caches. */
  readonly identity: KvIdentity;
  /** Whole blocks. */
  readonly tokens: readonly number[];
}

/** Full caches of the beginnings of texts, kept for clients that continue them. */
export interface KvPrefixes {
  /** The longest beginning there is, by the names of the text's blocks. */
  find(hashes: readonly string[]): KvPrefix | undefined;
  /**
   * Computes what is not there. Calls for one model come one at a time, and not beside its replies.
   * @throws SluiceError `conflict` (another identity), `bad-input` (tokens), `budget-too-small`, `cancelled`, and what
   *   the model throws.
   */
  prefill(request: KvPrefillRequest, signal: AbortSignal): Promise<KvPrefix>;
  /** The first blocks of a layer, with their sums. @throws SluiceError `not-found`, `bad-input`, `corrupt-store`, `io`. */
  layer(id: string, layer: number, blocks: number): Promise<Buffer>;
}
