import { crc32 } from 'node:zlib'

/**
 * A zip archive of one small file, stored as it is.
 * (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT)
 */
export function storedZip(name: string, text: string): Uint8Array {
  const file = Buffer.from(name)
  const data = Buffer.from(text)
  const common = Buffer.alloc(26)
  // version 2.0 needed, no flags, method 0 (stored), no time of day, 1980-01-01
  common.writeUInt16LE(20, 0)
  common.writeUInt16LE(0x21, 8)
  common.writeUInt32LE(crc32(data), 10)
  common.writeUInt32LE(data.length, 14)
  common.writeUInt32LE(data.length, 18)
  common.writeUInt16LE(file.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, file, data])
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, Buffer.alloc(14), file])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, central, end])
}
