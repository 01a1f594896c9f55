const HEAD = `# Command line reference

Made from the commands' own help by \`node scripts/docs.mjs --reference\`; a test compares the two. In short:
[at a glance](./index.md).

`;

/** Markdown of all commands: usage, arguments, options, as their help tells them. */
export function cliReference(program) {
  return `${HEAD}${commandMarkdown(program, [])}`.replace(/\n{3,}/g, '\n\n').trimEnd() + '\n';
}

function commandMarkdown(command, above) {
  const path = [...above, command.name()];
  const children = command.commands.filter(({ _hidden }) => !_hidden);
  const args = command.registeredArguments;
  const own = [
    `## ${path.join(' ')}`,
    command.description() === '' ? '' : `${sentence(command.description())}`,
    children.length > 0 ? '' : `\`\`\`\n${[...path, command.usage()].join(' ')}\n\`\`\``,
    table(
      ['argument', ''],
      args.map((argument) => [code(argument.name()), about(argument)]),
    ),
    table(
      ['option', ''],
      command.options.map((option) => [code(option.flags), about(option)]),
    ),
    children.length > 0
      ? `Commands: ${children.map((child) => `[${child.name()}](#${[...path, child.name()].join('-')})`).join(', ')}.`
      : '',
  ];
  return [
    ...own.filter((part) => part !== ''),
    ...children.map((child) => commandMarkdown(child, path)),
  ].join('\n\n');
}

function sentence(text) {
  const plain = plainText(text);
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}${/[.!?]$/.test(plain) ? '' : '.'}`;
}

/** What it is, what it may be, and what it is when left out. */
function about({ description, argChoices, defaultValue, mandatory }) {
  const said = plainText(description ?? '');
  const choices =
    argChoices === undefined || argChoices.every((choice) => said.includes(choice))
      ? ''
      : `: ${argChoices.map(code).join(', ')}`;
  const isShown =
    defaultValue !== undefined &&
    defaultValue !== false &&
    defaultValue !== true &&
    String(defaultValue) !== '' &&
    !said.includes('default:');
  return `${said}${choices}${isShown ? ` (default: ${code(String(defaultValue))})` : ''}${mandatory ? ' (required)' : ''}`;
}

/** Neither a tag nor a template nor a column of a table. */
function plainText(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/\{\{/g, '{&#123;').replace(/\|/g, '\\|');
}

function code(text) {
  return `\`${text.replace(/\|/g, '\\|')}\``;
}

function table(head, rows) {
  if (rows.length === 0) return '';
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
