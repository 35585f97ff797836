// Which file of the descriptor set says what. Loaded only where reflection is on: the descriptors of descriptors take
// their time.
import { createFileRegistry, type DescFile, fromBinary, toBinary } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** Files are answered encoded, each before what it imports, and with all of it: then nobody has to ask again. */
export interface ReflectionIndex {
  findFile(name: string): readonly Uint8Array[] | undefined;
  /** Of a type, a service or a method, by its full name. */
  findSymbol(name: string): readonly Uint8Array[] | undefined;
  findExtension(type: string, number: number): readonly Uint8Array[] | undefined;
  /** Empty for a message without extensions. */
  findExtensionNumbers(type: string): readonly number[] | undefined;
}

/** Of a FileDescriptorSet with everything that its files import. Throws when it is none. */
export function createReflectionIndex(descriptorSet: Uint8Array): ReflectionIndex {
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  const extensionsOf = (type: string) => {
    const known = extensions.get(type) ?? new Map<number, DescFile>();
    extensions.set(type, known);
    return known;
  };
  for (const file of createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet)).files) {
    files.set(file.proto.name, file);
    for (const type of nestedTypes(file)) {
      symbols.set(type.typeName, file);
      if (type.kind === 'service') for (const { name } of type.methods) symbols.set(`${type.typeName}.${name}`, file);
      if (type.kind === 'message') extensionsOf(type.typeName);
      if (type.kind === 'extension') extensionsOf(type.extendee.typeName).set(type.number, file);
    }
  }
  return {
    findFile: (name) => encodeWithImports(files.get(name)),
    findSymbol: (name) => encodeWithImports(symbols.get(name)),
    findExtension: (type, number) => encodeWithImports(extensions.get(type)?.get(number)),
    findExtensionNumbers: (type) => {
      const numbers = extensions.get(type);
      return numbers && [...numbers.keys()];
    },
  };
}

function encodeWithImports(file: DescFile | undefined): readonly Uint8Array[] | undefined {
  if (file === undefined) return undefined;
  const wanted = new Set([file]);
  // A set grows under its own iteration: what an import imports comes along.
  for (const { dependencies } of wanted) for (const imported of dependencies) wanted.add(imported);
  return [...wanted].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
}
