import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../paths.mjs';

/** Widths in pixels of the freedesktop.org icon theme. */
export const PNG_SIZES = [16, 24, 32, 48, 64, 128, 256, 512, 1024];
const ICO_SIZES = [16, 24, 32, 48, 64, 128, 256];
/** Of Apple's icon container, those that hold PNGs: OSType by width. */
const ICNS_TYPES = [
  ['icp4', 16],
  ['icp5', 32],
  ['icp6', 64],
  ['ic07', 128],
  ['ic08', 256],
  ['ic09', 512],
  ['ic10', 1024],
];

const SOURCE = join(ROOT, 'renderer', 'public', 'icon.svg');
/** Of the drawing, which is drawn for 72 dots an inch. */
const SOURCE_WIDTH = 32;
const SOURCE_DPI = 72;

/**
 * Draws the icon in every size and container that installers ask for: `png/NxN.png`, `icon.ico`, `icon.icns`, `icon.svg`.
 *
 * @param {string} folder is made when absent
 */
export async function drawIcons(folder) {
  const svg = readFileSync(SOURCE);
  mkdirSync(join(folder, 'png'), { recursive: true });
  const pngs = new Map();
  for (const width of PNG_SIZES) {
    const png = await drawn(svg, width);
    pngs.set(width, png);
    writeFileSync(join(folder, 'png', `${width}x${width}.png`), png);
  }
  const sized = (widths) => widths.map((width) => ({ width, png: pngs.get(width) }));
  writeFileSync(join(folder, 'icon.ico'), icoOf(sized(ICO_SIZES)));
  writeFileSync(
    join(folder, 'icon.icns'),
    icnsOf(ICNS_TYPES.map(([type, width]) => [type, pngs.get(width)])),
  );
  writeFileSync(join(folder, 'icon.svg'), svg);
}

async function drawn(svg, width) {
  const { default: sharp } = await import('sharp');
  // Drawn at the size that is asked for, not enlarged from a smaller one.
  const density = (SOURCE_DPI * width) / SOURCE_WIDTH;
  return sharp(svg, { density }).resize(width, width).png({ compressionLevel: 9 }).toBuffer();
}

/**
 * Windows' icon container, with PNGs (since Vista): a header of 6 bytes, an entry of 16 for each, then the pictures.
 *
 * @param {readonly {width: number, png: Buffer}[]} pictures at most 256 wide
 */
export function icoOf(pictures) {
  const header = Buffer.alloc(6 + 16 * pictures.length);
  header.writeUInt16LE(1, 2); // an icon, not a cursor
  header.writeUInt16LE(pictures.length, 4);
  let offset = header.length;
  for (const [index, { width, png }] of pictures.entries()) {
    const at = 6 + 16 * index;
    // 0 stands for 256.
    header.writeUInt8(width % 256, at);
    header.writeUInt8(width % 256, at + 1);
    header.writeUInt16LE(1, at + 4); // colour planes
    header.writeUInt16LE(32, at + 6); // bits a pixel
    header.writeUInt32LE(png.length, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += png.length;
  }
  return Buffer.concat([header, ...pictures.map(({ png }) => png)]);
}

/**
 * Apple's icon container: `icns`, its length, then each picture behind its type and length, all big-endian.
 *
 * @param {readonly (readonly [string, Buffer])[]} pictures
 */
export function icnsOf(pictures) {
  const parts = pictures.map(([type, png]) => Buffer.concat([chunkHead(type, png.length), png]));
  return Buffer.concat([chunkHead('icns', Buffer.concat(parts).length), ...parts]);
}

/** Lengths count the 8 bytes of the head itself. */
function chunkHead(type, contentBytes) {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32BE(contentBytes + 8, 4);
  return head;
}
