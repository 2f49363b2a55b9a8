import { existsSync, readFileSync } from 'node:fs';

/**
 * The version of a package that is installed.
 *
 * @param {string} name of a package that this module can import
 * @returns {string}
 */
export function versionOf(name) {
  let folder = new URL('.', import.meta.resolve(name));
  for (let parent = folder; ; parent = new URL('..', folder)) {
    const file = new URL('package.json', parent);
    // A package may have more such files further inside, which only say what kind of modules are there.
    const description = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
    if (description.name === name) return description.version;
    if (parent.href === folder.href && parent.pathname === '/') throw new Error(`${name} is not installed`);
    folder = parent;
  }
}
