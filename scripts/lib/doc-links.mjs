import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** GitHub's name of a heading. */
export function slugOf(heading) {
  return heading
    .toLowerCase()
    .replace(/`/g, '')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

/** Links of a page to files or headings that are not there. Links to other hosts are not followed. */
export function brokenLinks(path, root) {
  const markdown = readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  const links = [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
  const pageLinks = [...markdown.matchAll(/^\s+(?:link|src): (\S+)$/gm)].map(([, link]) => link);
  return [...links, ...pageLinks].flatMap((link) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [file, anchor] = link.split('#');
    const target =
      file === '' ? path : file.startsWith('/') ? join(root, 'docs', file) : resolve(dirname(path), file);
    const found = [target, `${target}.md`, join(target, 'index.md')].find(
      (candidate) => existsSync(candidate) && (statSync(candidate).isFile() || !file.startsWith('/')),
    );
    if (found === undefined) return [`${link}: there is no such file`];
    if (anchor === undefined || !found.endsWith('.md')) return [];
    const slugs = [...readFileSync(found, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      slugOf(heading),
    );
    return slugs.includes(anchor) ? [] : [`${link}: there is no such heading`];
  });
}
