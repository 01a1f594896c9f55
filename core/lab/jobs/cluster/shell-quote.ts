/** What must run before quoted texts are read: `"$1"` is a carriage return in them. */
export const QUOTE_PROLOGUE = `set -- "$(printf '\\r')"`;

/** One word of a POSIX shell that stands for exactly this text, whatever is in it but NUL. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The same after `QUOTE_PROLOGUE`, without carriage returns in it: Slurm refuses scripts that hold Windows' line ends, even
 * inside quotes.
 */
export function quoteForScript(text: string): string {
  return quoteForShell(text).replaceAll('\r', `'"$1"'`);
}
