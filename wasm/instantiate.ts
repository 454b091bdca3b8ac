const MODULES = new URL('./modules/', import.meta.url)

/** The glue of a module, with an instance of its own behind it. */
export interface Instance<Glue> {
  readonly glue: Glue
  readonly memory: WebAssembly.Memory
}

interface AnyGlue {
  initSync(module: { module: WebAssembly.Module }): { readonly memory: WebAssembly.Memory }
}

let instances = 0

/**
 * A fresh instance, in memory of its own.
 *
 * @param glue - name of the glue in the folder of this file
 * @param file - name of the module
 * @param modules - folder of the module, a URL that ends in a slash
 * @throws whatever fetching, reading, compiling or starting it throws
 */
export async function instantiate<Glue extends AnyGlue>(
  glue: string,
  file: string,
  modules: URL = MODULES,
): Promise<Instance<Glue>> {
  // The glue keeps its instance in its own scope: one evaluation an instance, told apart by the query.
  const url = new URL(`${glue}.js?instance=${++instances}`, MODULES)
  const [loaded, bytes] = await Promise.all([import(url.href) as Promise<Glue>, readModule(new URL(file, modules))])
  const { memory } = loaded.initSync({ module: await WebAssembly.compile(bytes) })
  return { glue: loaded, memory }
}

async function readModule(url: URL): Promise<BufferSource> {
  if (url.protocol === 'file:') return new Uint8Array(await (await import('node:fs/promises')).readFile(url))
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url.href} answers ${response.status}`)
  return response.arrayBuffer()
}
