import { Template } from '@huggingface/jinja';
import { SluiceError } from '../../contract';

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
  private readonly template: Template;

  /**
   * @param file for messages. @param text undefined: the model has none.
   * @throws SluiceError `unsupported` without a template, or for one that can't be read.
   */
  constructor(
    private readonly file: string,
    text: string | undefined,
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
    this.template = this.guard("can't be read", () => new Template(text));
  }

  /**
   * The conversation as the text the model continues with the assistant's reply.
   * @throws SluiceError `bad-input` when the template refuses the messages (it may want roles to alternate).
   */
  render(messages: readonly ChatMessage[], tokens: ChatTokens): string {
    return this.guard('refused the messages', () =>
      this.template.render({
        messages: messages.map((message) => ({ ...message })),
        bos_token: tokens.bosToken ?? '',
        eos_token: tokens.eosToken ?? '',
        add_generation_prompt: true,
      }),
    );
  }

  private guard<T>(what: string, run: () => T): T {
    try {
      return run();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const code = what.startsWith('refused') ? 'bad-input' : 'unsupported';
      throw new SluiceError(code, `${this.file}: its chat template ${what}: ${reason}`, {}, { cause });
    }
  }
}
