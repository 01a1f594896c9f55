/** A model that was sent here, as versions of one name. */
export interface PublishedModel {
  /** What requests name. */
  readonly servedAs: string;
  /** What whoever sent it calls it. */
  readonly model: string;
  readonly stable: number;
  readonly canary?: { readonly version: number; readonly sharePct: number };
  /** Kept for a roll-back. */
  readonly previous?: number;
}

/** A version on its way here. */
export interface ModelUpload {
  readonly servedAs: string;
  readonly model: string;
  readonly version: number;
  /** 100: it becomes the stable one; less: the canary. */
  readonly sharePct: number;
  /** Of the file that follows, lower-case hex. */
  readonly sha256: string;
  readonly fileBytes: number;
}

/**
 * Runs what needs the engine after the requests accepted so far, while nothing else runs: so a version is taken out when
 * nobody waits for it any more.
 */
export type BetweenRequests = <T>(work: () => Promise<T>) => Promise<T>;

/** Keeps versions of models beside each other. Whatever fails, the stable one stays as it is. */
export interface Publisher {
  /** Largest file that is taken, bytes. */
  readonly mostBytes: number;
  list(): readonly PublishedModel[];
  /**
   * @param body one ONNX file, as it comes.
   * @throws SluiceError `bad-input` (name, hash, length, tensors other than the stable one's), `bad-model`, `unsupported`,
   *   `conflict` (another publication of the name goes on, a canary is there, the name is taken), `not-found` (a canary of
   *   nothing), `budget-too-small`, `io`, `cancelled`.
   */
  publish(
    upload: ModelUpload,
    body: AsyncIterable<Uint8Array>,
    between: BetweenRequests,
    signal: AbortSignal,
  ): Promise<void>;
  /** @param sharePct 100: the canary becomes the stable one. @throws SluiceError `not-found`, `conflict`, `io`. */
  setCanary(servedAs: string, sharePct: number, between: BetweenRequests): Promise<void>;
  /** Takes the canary away, or without one goes back to the version before. @throws SluiceError `not-found`, `conflict`, `io`. */
  rollBack(servedAs: string, between: BetweenRequests): Promise<void>;
  /** Takes all versions away. @throws SluiceError `not-found`, `conflict`, `io`. */
  remove(servedAs: string, between: BetweenRequests): Promise<void>;
}
