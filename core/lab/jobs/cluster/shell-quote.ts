/** What must run before quoted texts are read: `"$1"` is a carriage return in them. */
export const QUOTE_PROLOGUE = `set -- "$(printf '\\r')"`;

/**
 * One word of a POSIX shell that stands for exactly this text, whatever is in it but NUL. Carriage returns are taken from
 * `QUOTE_PROLOGUE`: Slurm refuses scripts that hold Windows' line ends, even inside quotes.
 */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`).replaceAll('\r', `'"$1"'`)}'`;
}
