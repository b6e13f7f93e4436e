// SPDX-License-Identifier: Apache-2.0
// What a Java program may do in a container, compiled as it starts: prints "done" when all worked.

import java.io.InputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public class Work {
  static long spin() {
    long sum = 0;
    for (int i = 0; i < 3_000_000; i++) {
      sum = (sum + i * 7L) % 1_000_003;
    }
    return sum;
  }

  static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  public static void main(String[] arguments) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    Future<Long> first = pool.submit(Work::spin);
    Future<Long> second = pool.submit(Work::spin);
    check(first.get().equals(second.get()), "threads");
    try (ServerSocket server = new ServerSocket(0)) {
      pool.submit(() -> {
        try (Socket accepted = server.accept()) {
          accepted.getOutputStream().write("hello".getBytes());
        }
        return null;
      });
      try (Socket socket = new Socket("127.0.0.1", server.getLocalPort())) {
        check(new String(socket.getInputStream().readAllBytes()).equals("hello"), "socket");
      }
    }
    Path file = Files.createTempFile("work", ".txt");
    Files.writeString(file, "text");
    check(Files.readString(file).equals("text"), "file");
    Process process = new ProcessBuilder("busybox", "echo", "hi").start();
    try (InputStream output = process.getInputStream()) {
      check(new String(output.readAllBytes()).equals("hi\n"), "process");
    }
    pool.shutdown();
    System.gc();
    System.out.println("done");
  }
}
