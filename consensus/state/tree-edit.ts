import { layerOf, lowerBound, TreeNode } from './tree-node.ts'

type Maybe = TreeNode | undefined

/** @returns the tree with the value of an existing key replaced; `undefined` when there is no such key */
export function replace(node: Maybe, key: string, value: Uint8Array): Maybe {
  if (node === undefined) return undefined
  const at = lowerBound(node.keys, key)
  if (node.keys[at] === key) return new TreeNode(node.layer, node.keys, node.values.with(at, value), node.children)
  const child = replace(node.children[at], key, value)
  return child && withChild(node, at, child)
}

/** Adds a key that is not there. */
export function insert(node: Maybe, key: string, value: Uint8Array, layer = layerOf(key)): TreeNode {
  if (node === undefined) return new TreeNode(layer, [key], [value], [undefined, undefined])
  if (layer > node.layer) return new TreeNode(layer, [key], [value], split(node, key))
  const at = lowerBound(node.keys, key)
  if (layer < node.layer) return withChild(node, at, insert(node.children[at], key, value, layer))
  return new TreeNode(
    layer,
    node.keys.toSpliced(at, 0, key),
    node.values.toSpliced(at, 0, value),
    node.children.toSpliced(at, 1, ...split(node.children[at], key)),
  )
}

/** @returns the tree without the key; the same node when there is no such key */
export function remove(node: Maybe, key: string): Maybe {
  if (node === undefined) return undefined
  const at = lowerBound(node.keys, key)
  if (node.keys[at] !== key) {
    const child = remove(node.children[at], key)
    return child === node.children[at] ? node : withChild(node, at, child)
  }
  const joined = merge(node.children[at], node.children[at + 1])
  if (node.keys.length === 1) return joined
  return new TreeNode(
    node.layer,
    node.keys.toSpliced(at, 1),
    node.values.toSpliced(at, 1),
    node.children.toSpliced(at, 2, joined),
  )
}

function withChild(node: TreeNode, at: number, child: Maybe): TreeNode {
  return new TreeNode(node.layer, node.keys, node.values, node.children.with(at, child))
}

/** What lies before and after a key that is not in the node. */
function split(node: Maybe, key: string): [Maybe, Maybe] {
  if (node === undefined) return [undefined, undefined]
  const { layer, keys, children } = node
  const values = node.values
  const at = lowerBound(keys, key)
  const [before, after] = split(children[at], key)
  const left =
    at === 0 ? before : new TreeNode(layer, keys.slice(0, at), values.slice(0, at), [...children.slice(0, at), before])
  const right =
    at === keys.length
      ? after
      : new TreeNode(layer, keys.slice(at), values.slice(at), [after, ...children.slice(at + 1)])
  return [left, right]
}

/** Everything of `left` lies before everything of `right`. */
function merge(left: Maybe, right: Maybe): Maybe {
  if (left === undefined) return right
  if (right === undefined) return left
  if (left.layer > right.layer) return withChild(left, left.keys.length, merge(left.children.at(-1), right))
  if (left.layer < right.layer) return withChild(right, 0, merge(left, right.children[0]))
  return new TreeNode(
    left.layer,
    [...left.keys, ...right.keys],
    [...left.values, ...right.values],
    [...left.children.slice(0, -1), merge(left.children.at(-1), right.children[0]), ...right.children.slice(1)],
  )
}
