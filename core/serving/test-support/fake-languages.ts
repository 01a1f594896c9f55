import { SluiceError } from '../../contract';
import type {
  Completion,
  CompletionCall,
  CompletionRequest,
  LanguageService,
  ServedLanguageModel,
} from '../server/language-service';

const CONTEXT_TOKENS = 100;
const PROMPT_TOKENS = 5;

function fakeModel(name: string): ServedLanguageModel {
  return {
    name,
    createdMs: 1_700_000_000_500,
    contextLength: CONTEXT_TOKENS,
    fingerprint: 'fp_fake',
    isReady: true,
  };
}

/** Language models that say given words, a token each. */
export class FakeLanguages implements LanguageService {
  models: readonly ServedLanguageModel[] = [fakeModel('parrot'), fakeModel('second')];
  /** Every request begun. */
  readonly requests: CompletionRequest[] = [];
  /** Tokens generated. */
  given = 0;
  words: readonly string[] = ['Hel', 'lo ', 'wörld'];
  /** Awaited before each token. */
  pace: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve));
  /** Thrown by requests, after `faultAfter` tokens. */
  fault: SluiceError | undefined;
  faultAfter = 0;

  list(): readonly ServedLanguageModel[] {
    return this.models;
  }

  async complete(request: CompletionRequest, { signal, onPiece }: CompletionCall): Promise<Completion> {
    this.requests.push(request);
    const words = this.words.slice(0, request.maxTokens);
    let text = '';
    let tokens = 0;
    const ended = (finishReason: Completion['finishReason']): Completion => ({
      text,
      finishReason,
      promptTokens: PROMPT_TOKENS,
      completionTokens: tokens,
      prefillMs: 10,
      decodeMs: 20,
      prefillTokensPerSec: 500,
      tokensPerSec: 100,
    });
    for (const word of words) {
      if (this.fault && tokens === this.faultAfter) throw this.fault;
      await this.pace();
      if (signal.aborted) return ended('cancelled');
      text += word;
      tokens += 1;
      this.given += 1;
      await onPiece({ text: word, tokens: [tokens] });
    }
    return ended(words.length < this.words.length ? 'length' : 'end');
  }
}

/** As a model's host says that a request does not fit the context. */
export function contextFault(): SluiceError {
  const details = { promptTokens: 90, contextLength: CONTEXT_TOKENS, maxTokens: 20 };
  return new SluiceError('bad-input', '90 tokens and 20 to generate; the context is 100.', details);
}
