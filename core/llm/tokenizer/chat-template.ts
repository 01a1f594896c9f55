import { systemClock, type Clock } from '../../base';
import { SluiceError } from '../../contract';
import { BoundedTemplate, TemplateBoundError } from './bounded-template';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
}

export interface ChatTokens {
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
}

/** A template in use takes some tens of KiB. */
const MAX_TEMPLATE_LETTERS = 1 << 20;

/** A model's own way to write a conversation down: a Jinja template that came with it. */
export class ChatTemplate {
  private readonly template: BoundedTemplate;

  /**
   * @param file for messages. @param text undefined: the model has none. @param clock some templates tell the date.
   * @throws SluiceError `unsupported` without a template, or for one that can't be read.
   */
  constructor(
    private readonly file: string,
    text: string | undefined,
    private readonly clock: Pick<Clock, 'nowMs'> = systemClock,
  ) {
    if (text === undefined) {
      throw new SluiceError(
        'unsupported',
        `${file} has no chat template. Use plain completion, or a model that was made for chat (Instruct).`,
        { file },
      );
    }
    if (text.length > MAX_TEMPLATE_LETTERS) {
      throw new SluiceError(
        'unsupported',
        `${file}: its chat template has ${text.length} letters; it is damaged.`,
      );
    }
    this.template = this.guard("can't be read", () => new BoundedTemplate(text));
  }

  /**
   * The conversation as the text the model continues with the assistant's reply.
   * @throws SluiceError `bad-input` when the template refuses the messages (it may want roles to alternate),
   * `unsupported` when it takes longer or makes more than any in use.
   */
  render(messages: readonly ChatMessage[], tokens: ChatTokens): string {
    const values = {
      messages: messages.map((message) => ({ ...message })),
      bos_token: tokens.bosToken ?? '',
      eos_token: tokens.eosToken ?? '',
      add_generation_prompt: true,
    };
    const letters = messages.reduce((sum, { content }) => sum + content.length, 0);
    const now = new Date(this.clock.nowMs());
    return this.guard('refused the messages', () => this.template.render(values, letters, now));
  }

  private guard<T>(what: string, run: () => T): T {
    try {
      return run();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (cause instanceof TemplateBoundError) {
        const message = `${this.file}: its chat template was stopped: ${reason}. It is damaged or crafted; use another model, or plain completion.`;
        throw new SluiceError('unsupported', message, { file: this.file }, { cause });
      }
      const code = what.startsWith('refused') ? 'bad-input' : 'unsupported';
      throw new SluiceError(code, `${this.file}: its chat template ${what}: ${reason}`, {}, { cause });
    }
  }
}
