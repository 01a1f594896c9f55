import type {
  LanguageProgress,
  Message,
  ReplyPhase,
  RoundRecord,
  StreamedWeights,
  TextPiece,
} from '../../../contract';
import type { DecodedToken, Generation, LanguageModel, ReplyPiece, TokenSource } from '../../../llm';
import type { EventBus } from '../../event-bus';
import type { HostClock } from '../../host-clock';
import { EventPace } from '../../event-pace';
import { ReplyMeter } from './reply-meter';
import { pieceOf, wholeText, withPiece } from './reply-pieces';
import type { ConversationSource } from './conversation-source';

/** `languageProgress` comes at most this often. */
const TELL_EVERY_MS = 50;

export interface ActiveReplyParts {
  readonly conversationId: string;
  /** As it was when the reply began; with its text so far when it is gone on with. */
  readonly message: Message;
  /** Those of that text. */
  readonly written: readonly DecodedToken[];
  readonly bus: EventBus;
  readonly clock: HostClock;
  /** What was told has changed. */
  readonly onTold: () => void;
}

/** A reply while it is written: what has been told of it, and what waits to be. */
export class ActiveReply {
  private phase: ReplyPhase = { kind: 'loading' };
  private readonly decoded: DecodedToken[];
  private waitingPieces: readonly TextPiece[] = [];
  private waitingRounds: RoundRecord[] = [];
  private toldPieces: readonly TextPiece[];
  private toldRounds: readonly RoundRecord[];
  private source: ConversationSource | undefined;
  private hasEnded = false;
  private tokenizer: LanguageModel['tokenizer'] | undefined;
  private readonly pace: EventPace;
  private readonly meter: ReplyMeter;

  constructor(private readonly parts: ActiveReplyParts) {
    const { message, written, clock } = parts;
    this.decoded = [...written];
    this.toldPieces = message.pieces;
    this.toldRounds = message.rounds ?? [];
    this.meter = new ReplyMeter(() => clock.nowMs(), written.length, this.toldRounds);
    this.pace = new EventPace(clock, TELL_EVERY_MS, () => this.tell());
  }

  /** The reply begins: its model is loaded. */
  loading(streamedWeights?: StreamedWeights): void {
    this.enter({ kind: 'loading', ...(streamedWeights && { streamedWeights }) });
  }

  loaded({ tokenizer }: LanguageModel, source: ConversationSource, promptTokens: number): void {
    this.tokenizer = tokenizer;
    this.source = source;
    this.meter.startPrefill(promptTokens);
    this.onPrefill(0, promptTokens);
  }

  /** The source, as generation is to call it. */
  measured(source: ConversationSource): TokenSource {
    return {
      prefill: async (prompt, options) => {
        const reused = await source.prefill(prompt, options);
        this.meter.prefilled(reused);
        this.enter({ kind: 'generating' });
        return reused;
      },
      next: (limit, signal) => source.next(limit, signal),
    };
  }

  onPrefill(doneTokens: number, totalTokens: number): void {
    this.enter({ kind: 'prefill', doneTokens, totalTokens });
  }

  onPiece({ text, tokens }: ReplyPiece): void {
    this.decoded.push(...tokens);
    this.meter.addTokens(tokens.length);
    this.waitingPieces = withPiece(this.waitingPieces, pieceOf(text, tokens));
    this.pace.changed();
  }

  onRound(round: RoundRecord): void {
    this.meter.addRound(round);
    const index = this.toldRounds.length + this.waitingRounds.length;
    this.waitingRounds.push({ ...round, index });
    this.pace.changed();
  }

  generated(generation: Generation): void {
    this.meter.end(generation);
  }

  /** Everything has been told after this, and nothing more follows. Called while its source is still open. */
  ended(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.pace.flush();
  }

  /** As it has been told: with the next event it goes on without a gap. */
  message(): Message {
    const message = { ...this.parts.message, pieces: this.toldPieces, stats: this.meter.stats() };
    return this.toldRounds.length > 0 ? { ...message, rounds: this.toldRounds } : message;
  }

  /** What the caches hold. */
  cache(): Pick<LanguageProgress, 'memory' | 'map'> {
    const memory = this.source?.memory?.();
    const map = this.source?.map?.();
    return { ...(memory && { memory }), ...(map && { map }) };
  }

  /** What can be gone on with: the message up to its last whole letter, and the tokens of that. */
  resumable(): { readonly message: Message; readonly tokens: readonly number[] } {
    const message = this.message();
    // Without a tokenizer none has been added to those there were.
    if (!this.tokenizer) return { message, tokens: this.decoded.map(({ token }) => token) };
    const { pieces, tokens } = wholeText(this.tokenizer, this.decoded);
    return { message: { ...message, pieces }, tokens: tokens.map(({ token }) => token) };
  }

  private enter(phase: ReplyPhase): void {
    this.phase = phase;
    this.pace.changed();
  }

  private tell(): void {
    const { conversationId, message, bus, onTold } = this.parts;
    const pieces = this.waitingPieces;
    const rounds = this.waitingRounds;
    this.toldPieces = pieces.reduce(withPiece, this.toldPieces);
    this.toldRounds = [...this.toldRounds, ...rounds];
    this.waitingPieces = [];
    this.waitingRounds = [];
    bus.emit('languageProgress', {
      conversationId,
      messageId: message.id,
      phase: this.phase,
      pieces,
      rounds,
      stats: this.meter.stats(),
      ...this.cache(),
    });
    onTold();
  }
}
